"use client";

import { Dialog } from "@/ui/dialog";

import { useShortcutsOn } from "./use-shortcuts";

const SHORTCUTS = [
  { key: "n", does: "write a new task" },
  { key: "/", does: "search" },
  { key: "Esc", does: "clear the search, close a dialog" },
  { key: "Space", does: "complete or reopen the task whose circle has the focus" },
  { key: "?", does: "show this list" },
];

export function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const [on, turn] = useShortcutsOn();
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className="space-y-2.5">
        {SHORTCUTS.map(({ key, does }) => (
          <div key={key} className="flex gap-4">
            <dt className="w-14 shrink-0">
              <kbd className="kbd">{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label className="mt-5 flex items-center gap-2.5 border-t border-line pt-4">
        <input type="checkbox" className="tick" checked={on} onChange={(event) => turn(event.target.checked)} />
        Use single keys
      </label>
    </Dialog>
  );
}
