import type { ReactNode } from "react";

import { Icon } from "@/ui/icon";

/** Grey rows in the list's place while it is on its way. */
export function ListSkeleton({ rows = 4 }: { rows?: number }) {
  return (
    <ul aria-hidden="true" className="divide-y divide-line">
      {Array.from({ length: rows }, (_, row) => (
        <li key={row} className="flex animate-pulse gap-3 px-4 py-4">
          <span className="size-5 rounded-full bg-raised" />
          <span className="flex-1 space-y-2">
            <span className="block h-4 w-2/3 rounded bg-raised" />
            <span className="block h-3 w-1/4 rounded bg-raised" />
          </span>
        </li>
      ))}
    </ul>
  );
}

export function ListError({ text, onRetry }: { text: string; onRetry: () => void }) {
  return (
    <div role="alert" className="flex flex-col items-center gap-3 px-4 py-10 text-center">
      <Icon name="alert" className="size-7 text-danger" />
      <p>{text}</p>
      <button type="button" className="button-quiet" onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}

export function ListEmpty({ title, text, children }: { title: string; text: string; children?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-1 px-4 py-14 text-center">
      <p className="font-serif text-lg font-semibold">{title}</p>
      <p className="text-muted">{text}</p>
      {children}
    </div>
  );
}
