import type { ReactNode } from "react";

import { Icon } from "@/ui/icon";

/** Why the form was not accepted, announced at once. */
export function Failure({ text }: { text: string | null }) {
  if (text === null) return null;
  return (
    <p role="alert" className="flex items-center gap-2 rounded-xl bg-danger-soft px-3 py-2.5 text-sm text-danger">
      <Icon name="alert" />
      {text}
    </p>
  );
}

export function AccountPage({ title, hint, children }: { title: string; hint: ReactNode; children: ReactNode }) {
  return (
    <>
      <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
      <p className="mt-1.5 mb-6 text-sm text-muted">{hint}</p>
      {children}
    </>
  );
}
