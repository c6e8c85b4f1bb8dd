const CHANNEL = "todo-data";

type Channel = Pick<BroadcastChannel, "postMessage" | "close"> & { onmessage: ((event: MessageEvent) => void) | null };

/** Old browsers have none; their tabs follow when they get the focus. */
const open = (): Channel | null => (typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(CHANNEL));

/** Tell the other tabs of this browser that something of this person's data has changed. */
export function tellTabs(): void {
  const channel = open();
  channel?.postMessage("changed");
  channel?.close();
}

/** Hear of what other tabs changed; the answer ends it. */
export function onOtherTabs(changed: () => void): () => void {
  const channel = open();
  if (channel) channel.onmessage = changed;
  return () => channel?.close();
}
