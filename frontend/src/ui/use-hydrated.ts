import { useSyncExternalStore } from "react";

const never = () => () => undefined;

/** False in the server's page and until the browser has taken it over: a form must not be sent before that. */
export function useHydrated(): boolean {
  return useSyncExternalStore(never, () => true, () => false);
}
