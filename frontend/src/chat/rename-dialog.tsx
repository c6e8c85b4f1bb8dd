"use client";

import { type FormEvent, useId, useState } from "react";

import { Dialog } from "@/ui/dialog";

import { LONGEST_CONVERSATION_TITLE } from "./message";

type Properties = { title: string; onSave: (title: string) => void; onClose: () => void };

export function RenameDialog({ title: given, onSave, onClose }: Properties) {
  const id = useId();
  const [title, setTitle] = useState(given);

  function save(event: FormEvent): void {
    event.preventDefault();
    if (title.trim() !== "") onSave(title.trim());
  }

  return (
    <Dialog title="Rename the conversation" onClose={onClose}>
      <form onSubmit={save}>
        <label htmlFor={id} className="mb-1.5 block text-sm font-medium">
          Title
        </label>
        <input
          id={id}
          className="field"
          value={title}
          maxLength={LONGEST_CONVERSATION_TITLE}
          onChange={(event) => setTitle(event.target.value)}
        />
        <div className="mt-6 flex justify-end gap-3">
          <button type="button" className="button-quiet" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button-primary" disabled={title.trim() === ""}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}
