"use client";

import { useEffect, useRef } from "react";

import { Icon } from "./icon";

/** Who is signed in, and the way out. Signing out is a plain form: it works whatever the page's state. */
export function UserMenu({ name, email }: { name: string; email: string }) {
  const menu = useRef<HTMLDetailsElement>(null);

  useEffect(() => {
    function close(event: Event): void {
      const element = menu.current;
      if (!element?.open) return;
      const escaped = event instanceof KeyboardEvent && event.key === "Escape";
      const outside = event instanceof PointerEvent && !element.contains(event.target as Node);
      if (escaped || outside) element.open = false;
    }
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("keydown", close);
    };
  }, []);

  return (
    <details ref={menu} className="relative">
      <summary className="icon-button list-none rounded-full bg-raised [&::-webkit-details-marker]:hidden" aria-label="Account">
        <Icon name="user" />
      </summary>
      <div className="card absolute right-0 mt-2 w-60 p-2 shadow-lg">
        <div className="px-3 py-2">
          <p className="truncate text-sm font-semibold">{name}</p>
          <p className="truncate text-sm text-muted">{email}</p>
        </div>
        <form method="post" action="/api/signout">
          <button type="submit" className="w-full rounded-lg px-3 py-2 text-left text-sm hover:bg-raised">
            Sign out
          </button>
        </form>
      </div>
    </details>
  );
}
