"use client";

import "./globals.css";

/** When even the frame of the pages fails. */
export default function GlobalError({ reset }: { error: Error; reset: () => void }) {
  return (
    <html lang="en">
      <body className="flex min-h-dvh flex-col items-center justify-center gap-4">
        <h1 className="text-2xl font-semibold">Something went wrong</h1>
        <button type="button" className="button-primary" onClick={() => reset()}>
          Try again
        </button>
      </body>
    </html>
  );
}
