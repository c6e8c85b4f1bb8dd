/** A message that could not be sent because the session had ended waits here until its writer has signed in again. */

const keyOf = (userId: string) => `unsent message of ${userId}`;

export function keepUnsent(userId: string, text: string): void {
  try {
    sessionStorage.setItem(keyOf(userId), text);
  } catch {
    // A browser that keeps nothing for pages: the text is lost then, as it would be without this.
  }
}

/** The text that was kept, once. */
export function takeUnsent(userId: string): string | null {
  try {
    const text = sessionStorage.getItem(keyOf(userId));
    sessionStorage.removeItem(keyOf(userId));
    return text;
  } catch {
    return null;
  }
}
