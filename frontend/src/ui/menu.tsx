"use client";

import { type ReactNode, useEffect, useRef } from "react";

type Properties = { label: string; icon: ReactNode; className?: string; children: ReactNode };

/** A button that opens a small panel below it; closed by Escape, a click elsewhere, or a link inside. */
export function Menu({ label, icon, className = "", children }: Properties) {
  const menu = useRef<HTMLDetailsElement>(null);

  useEffect(() => {
    function close(event: Event): void {
      const element = menu.current;
      if (!element?.open) return;
      const escaped = event instanceof KeyboardEvent && event.key === "Escape";
      const outside = event instanceof PointerEvent && !element.contains(event.target as Node);
      if (!escaped && !outside) return;
      element.open = false;
      if (escaped) element.querySelector("summary")?.focus();
    }
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("keydown", close);
    };
  }, []);

  return (
    <details ref={menu} className={`relative ${className}`}>
      <summary className="icon-button list-none [&::-webkit-details-marker]:hidden" aria-label={label}>
        {icon}
      </summary>
      <div
        className="card absolute right-0 z-30 mt-2 w-60 p-2 shadow-lg"
        onClick={(event) => {
          if (menu.current && event.target instanceof HTMLAnchorElement) menu.current.open = false;
        }}
      >
        {children}
      </div>
    </details>
  );
}
