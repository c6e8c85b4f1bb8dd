"use client";

import { type FormEvent, type KeyboardEvent, type RefObject, useEffect, useState } from "react";

import { Icon } from "@/ui/icon";

import { LONGEST_MESSAGE } from "./message";

const NEAR_LIMIT = 1_500;

type Properties = {
  input: RefObject<HTMLTextAreaElement | null>;
  busy: boolean;
  /** Until when the server wants no message, in milliseconds since 1970. */
  waitUntil: number;
  onSend: (message: string) => void;
  /** Ends the answer that is coming; null while none is. */
  onStop: (() => void) | null;
};

/**
 * Where a message is written. Enter sends, Shift and Enter begin a new line.
 *
 * The browser keeps the text, not React: what was typed before the page was ready is not lost.
 */
export function Composer({ input, busy, waitUntil, onSend, onStop }: Properties) {
  const [length, setLength] = useState(0);
  const wait = useSecondsUntil(waitUntil);

  useEffect(() => {
    const element = input.current;
    if (!element) return;
    const measure = () => setLength(element.value.trim().length);
    measure();
    element.addEventListener("input", measure);
    return () => element.removeEventListener("input", measure);
  }, [input]);

  const sendable = !busy && wait === 0 && length > 0 && length <= LONGEST_MESSAGE;

  function send(event: FormEvent): void {
    event.preventDefault();
    const element = input.current;
    if (!element || !sendable) return;
    const message = element.value.trim();
    writeInto(element, "");
    // The button that was pressed gives way to the one that stops.
    element.focus();
    onSend(message);
  }

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>): void {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    event.currentTarget.form?.requestSubmit();
  }

  return (
    <form method="post" onSubmit={send} className="card flex items-end gap-2 border-edge p-2 focus-within:border-accent focus-within:ring-1 focus-within:ring-accent">
      <textarea
        ref={input}
        name="message"
        aria-label="Message"
        placeholder="Add buy milk for tomorrow…"
        rows={1}
        maxLength={LONGEST_MESSAGE}
        onKeyDown={onKeyDown}
        className="field-sizing-content max-h-40 min-h-10 min-w-0 flex-1 resize-none bg-transparent px-2 py-2 text-base outline-none placeholder:text-muted"
      />
      {(length > NEAR_LIMIT || wait > 0) && (
        <span className="pb-2.5 text-xs text-muted tabular-nums">{wait > 0 ? `wait ${wait} s` : `${length}/${LONGEST_MESSAGE}`}</span>
      )}
      {onStop === null ? (
        <button type="submit" className="button-primary" disabled={!sendable}>
          Send
        </button>
      ) : (
        <button type="button" className="button-quiet" onClick={onStop}>
          <Icon name="stop" className="size-4" />
          Stop
        </button>
      )}
    </form>
  );
}

/** The seconds that are left until `moment`, counted down; 0 from then on. */
function useSecondsUntil(moment: number): number {
  const [now, setNow] = useState(0);
  useEffect(() => {
    if (moment <= Date.now()) return;
    const tick = () => setNow(Date.now());
    tick();
    const timer = setInterval(() => (Date.now() < moment ? tick() : (tick(), clearInterval(timer))), 250);
    return () => clearInterval(timer);
  }, [moment]);
  return now === 0 ? 0 : Math.max(0, Math.ceil((moment - now) / 1_000));
}

/** Put text into the field, as if it were typed. */
export function writeInto(element: HTMLTextAreaElement, text: string): void {
  element.value = text;
  element.dispatchEvent(new Event("input", { bubbles: true }));
}
