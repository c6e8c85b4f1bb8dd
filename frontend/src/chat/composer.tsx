"use client";

import { type FormEvent, type KeyboardEvent, type RefObject, useEffect, useState } from "react";

import { LONGEST_MESSAGE } from "./message";

const NEAR_LIMIT = 1_500;

type Properties = {
  input: RefObject<HTMLTextAreaElement | null>;
  busy: boolean;
  onSend: (message: string) => void;
};

/**
 * Where a message is written. Enter sends, Shift and Enter begin a new line.
 *
 * The browser keeps the text, not React: what was typed before the page was ready is not lost.
 */
export function Composer({ input, busy, onSend }: Properties) {
  const [length, setLength] = useState(0);

  useEffect(() => {
    const element = input.current;
    if (!element) return;
    const measure = () => setLength(element.value.trim().length);
    measure();
    element.addEventListener("input", measure);
    return () => element.removeEventListener("input", measure);
  }, [input]);

  const sendable = !busy && length > 0 && length <= LONGEST_MESSAGE;

  function send(event: FormEvent): void {
    event.preventDefault();
    const element = input.current;
    if (!element || !sendable) return;
    const message = element.value.trim();
    writeInto(element, "");
    onSend(message);
  }

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>): void {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    event.currentTarget.form?.requestSubmit();
  }

  return (
    <form method="post" onSubmit={send} className="card flex items-end gap-2 p-2 focus-within:border-accent">
      <textarea
        ref={input}
        name="message"
        aria-label="Message"
        placeholder="Add buy milk for tomorrow…"
        rows={1}
        maxLength={LONGEST_MESSAGE}
        onKeyDown={onKeyDown}
        className="field-sizing-content max-h-40 min-h-10 min-w-0 flex-1 resize-none bg-transparent px-2 py-2 text-base outline-none placeholder:text-muted sm:text-sm"
      />
      {length > NEAR_LIMIT && (
        <span className="pb-2.5 text-xs text-muted tabular-nums">
          {length}/{LONGEST_MESSAGE}
        </span>
      )}
      <button type="submit" className="button-primary" disabled={!sendable}>
        Send
      </button>
    </form>
  );
}

/** Put text into the field, as if it were typed. */
export function writeInto(element: HTMLTextAreaElement, text: string): void {
  element.value = text;
  element.dispatchEvent(new Event("input", { bubbles: true }));
}
