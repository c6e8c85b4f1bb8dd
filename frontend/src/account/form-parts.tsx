import type { ReactNode } from "react";

import { Icon } from "@/ui/icon";

/** Why the form was not accepted, announced at once. */
export function Failure({ text }: { text: string | null }) {
  if (text === null) return null;
  return (
    <p role="alert" className="flex items-center gap-2 rounded-lg bg-danger-soft px-3 py-2.5 text-danger">
      <Icon name="alert" />
      {text}
    </p>
  );
}

export function AccountPage({ title, hint, children }: { title: string; hint: ReactNode; children: ReactNode }) {
  return (
    <>
      <h1 className="text-3xl">{title}</h1>
      <p className="mt-2 mb-6 text-muted">{hint}</p>
      {children}
    </>
  );
}
