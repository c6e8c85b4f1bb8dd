import { useSyncExternalStore } from "react";

const PROBE = "/icon.svg";
const PROBE_EVERY_MS = 5_000;

type State = "online" | "offline" | "unreachable";

let reachable = true;
let probe: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

/** `offline`: the device has no network. `unreachable`: it has one, but our server does not answer. */
export function connection(): State {
  if (typeof navigator !== "undefined" && !navigator.onLine) return "offline";
  return reachable ? "online" : "unreachable";
}

/** Note whether a request got any answer at all. After one that did not, the server is asked until it answers. */
export function noteReached(answered: boolean): void {
  if (answered) clearTimeout(probe);
  else probeLater();
  if (answered === reachable) return;
  reachable = answered;
  for (const tell of listeners) tell();
}

function probeLater(): void {
  clearTimeout(probe);
  probe = setTimeout(() => {
    fetch(PROBE, { method: "HEAD", cache: "no-store" }).then(
      () => noteReached(true),
      () => noteReached(false),
    );
  }, PROBE_EVERY_MS);
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  window.addEventListener("online", tell);
  window.addEventListener("offline", tell);
  return () => {
    listeners.delete(tell);
    window.removeEventListener("online", tell);
    window.removeEventListener("offline", tell);
  };
}

/** The state of the connection, as the page should show it. */
export function useConnection(): State {
  return useSyncExternalStore(subscribe, connection, () => "online");
}
