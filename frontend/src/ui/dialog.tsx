"use client";

import { type ReactNode, useId, useLayoutEffect, useRef } from "react";

import { Icon } from "./icon";

type Properties = { title: string; onClose: () => void; children: ReactNode };

/** The first thing after the header that can be used. */
const FIRST = ":scope header ~ * :is(input, textarea, button)";

/** A modal dialog on the platform's own element: it keeps the focus inside and closes by Escape or the backdrop. */
export function Dialog({ title, onClose, children }: Properties) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();

  // Before the element leaves the page: only then does closing give the focus back to where it was.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (element && !element.open) {
      element.showModal();
      // The platform would begin at the button that closes it.
      element.querySelector<HTMLElement>(FIRST)?.focus();
    }
    return () => element?.close();
  }, []);

  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      className="card m-auto w-[min(32rem,calc(100vw-2rem))] p-0 text-ink"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className="p-5 sm:p-6">
        <header className="mb-4 flex items-center justify-between gap-4">
          <h2 id={titleId} className="text-lg font-semibold">
            {title}
          </h2>
          <button type="button" className="icon-button" onClick={onClose} aria-label="Close">
            <Icon name="x" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
