import { useCallback, useEffect } from "react";

/** What is typed and not stored yet: it outlives a change of page and a sign-in, in this tab. */

const keyOf = (name: string) => `draft of ${name}`;

export function keepDraft(name: string, text: string): void {
  try {
    if (text === "") sessionStorage.removeItem(keyOf(name));
    else sessionStorage.setItem(keyOf(name), text);
  } catch {
    // A browser that keeps nothing for pages: the text lives as long as the page.
  }
}

export function keptDraft(name: string): string {
  try {
    return sessionStorage.getItem(keyOf(name)) ?? "";
  } catch {
    return "";
  }
}

/** Gives what was kept to `show` once, when the page is there; the answer shows and keeps what is typed from then on. */
export function useDraft(name: string, show: (text: string) => void): (text: string) => void {
  useEffect(() => {
    const text = keptDraft(name);
    if (text !== "") show(text);
  }, [name, show]);
  return useCallback(
    (text: string) => {
      keepDraft(name, text);
      show(text);
    },
    [name, show],
  );
}
