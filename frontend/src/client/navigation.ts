/** Go to the sign-in page by a full load, which also forgets all that the page has cached; come back here later. */
export function signInAgain(): void {
  const here = window.location.pathname + window.location.search;
  window.location.assign(`/auth/signin?callbackUrl=${encodeURIComponent(here)}`);
}

/** A full load of a page of ours. */
export function goTo(path: string): void {
  window.location.assign(path);
}
