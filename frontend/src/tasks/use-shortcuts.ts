import { useEffect, useSyncExternalStore } from "react";

const OFF = "shortcuts-off";
const CHANGED = "shortcuts-changed";
const TYPED_INTO = "input, textarea, select, [contenteditable]";

/** Whether single keys do something; people whose keyboard or voice control types by itself can turn them off. */
export function useShortcutsOn(): [boolean, (on: boolean) => void] {
  const on = useSyncExternalStore(subscribe, areOn, () => true);
  return [on, turn];
}

function areOn(): boolean {
  return localStorage.getItem(OFF) === null;
}

function turn(on: boolean): void {
  if (on) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "yes");
  window.dispatchEvent(new Event(CHANGED));
}

function subscribe(tell: () => void): () => void {
  window.addEventListener(CHANGED, tell);
  return () => window.removeEventListener(CHANGED, tell);
}

/** Run the action of a key that is pressed alone, outside fields and dialogs. */
export function useShortcuts(actions: Readonly<Record<string, () => void>>): void {
  useEffect(() => {
    function pressed(event: KeyboardEvent): void {
      const action = actions[event.key];
      if (!action || event.ctrlKey || event.metaKey || event.altKey || !areOn()) return;
      const target = event.target instanceof Element ? event.target : null;
      const typing = target?.matches(TYPED_INTO) && !target.matches("[type=checkbox]");
      if (typing || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      action();
    }
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [actions]);
}
