"use client";

import { Icon } from "@/ui/icon";

/** In the place of a page that could not be made, most likely because the database did not answer. */
export default function PageError({ reset }: { error: Error; reset: () => void }) {
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center gap-4 px-4 text-center">
      <Icon name="alert" className="size-10 text-danger" />
      <h1 className="text-2xl font-semibold">This page is not available right now</h1>
      <p className="max-w-sm text-sm text-muted">Your tasks are safe. Please try again in a moment.</p>
      <button type="button" className="button-primary" onClick={() => reset()}>
        Try again
      </button>
    </main>
  );
}
