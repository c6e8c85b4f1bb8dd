"use client";

import { Dialog } from "./dialog";

type Properties = { title: string; text: string; action: string; onConfirm: () => void; onClose: () => void };

/** Asks before something that cannot be taken back. */
export function Confirm({ title, text, action, onConfirm, onClose }: Properties) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p className="text-sm text-muted">{text}</p>
      <div className="mt-6 flex justify-end gap-3">
        <button type="button" className="button-quiet" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="button-danger" onClick={onConfirm}>
          {action}
        </button>
      </div>
    </Dialog>
  );
}
