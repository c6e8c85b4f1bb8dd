"use client";

import { createContext, type ReactNode, useCallback, useContext, useState } from "react";

import { Icon } from "./icon";

type Tone = "success" | "failure";
type Toast = { id: number; tone: Tone; text: string };
type Show = (tone: Tone, text: string) => void;

const SHOWN_MS = 5_000;
const MOST = 3;

const ToastContext = createContext<Show>(() => undefined);

/** Says shortly what happened; announced to screen readers, gone after five seconds. */
export function useToast(): Show {
  return useContext(ToastContext);
}

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Toast[]>([]);

  const dismiss = useCallback((id: number) => setToasts((shown) => shown.filter((toast) => toast.id !== id)), []);
  const show = useCallback<Show>(
    (tone, text) => {
      const id = performance.now() + Math.random();
      setToasts((shown) => [...shown, { id, tone, text }].slice(-MOST));
      setTimeout(() => dismiss(id), SHOWN_MS);
    },
    [dismiss],
  );

  return (
    <ToastContext value={show}>
      {children}
      <div
        role="status"
        aria-live="polite"
        className="pointer-events-none fixed inset-x-0 top-16 z-50 flex flex-col items-center gap-2 px-4 sm:items-end"
      >
        {toasts.map(({ id, tone, text }) => (
          <div key={id} className="card pointer-events-auto flex max-w-sm items-center gap-3 py-2 pr-2 pl-4 text-sm shadow-lg">
            <Icon name={tone === "success" ? "check" : "alert"} className={`size-5 ${tone === "success" ? "text-accent" : "text-danger"}`} />
            <span className="min-w-0 flex-1 break-words">{text}</span>
            <button type="button" className="icon-button" onClick={() => dismiss(id)} aria-label="Dismiss">
              <Icon name="x" />
            </button>
          </div>
        ))}
      </div>
    </ToastContext>
  );
}
