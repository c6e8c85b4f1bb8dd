import { type FormEvent, useState } from "react";

import { ApiError, ask } from "@/client/request";
import { useHydrated } from "@/ui/use-hydrated";

import type { FieldErrors } from "./validation";

type Options = {
  path: string;
  onDone: () => void;
  validate: (data: FormData) => FieldErrors;
  body: (data: FormData) => Record<string, unknown>;
  /** A second request, once the first has succeeded. */
  then?: { path: string; body: (data: FormData) => Record<string, unknown> };
};

/** Check a form, send it to Better Auth, and go on with `onDone`; what went wrong is told at its field or above the button. */
export function useAccountForm({ path, onDone, validate, body, then }: Options) {
  const hydrated = useHydrated();
  const [errors, setErrors] = useState<FieldErrors>({});
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const found = validate(data);
    setErrors(found);
    setFailure(null);
    const [first] = Object.keys(found);
    if (first !== undefined) {
      form.querySelector<HTMLInputElement>(`[name="${first}"]`)?.focus();
      return;
    }
    setBusy(true);
    try {
      await ask(path, { method: "POST", body: body(data) });
      if (then) await ask(then.path, { method: "POST", body: then.body(data) });
      onDone();
    } catch (problem) {
      setFailure(problem instanceof ApiError ? problem.message : "Something went wrong. Please try again.");
      setBusy(false);
    }
  }

  return { submit, errors, failure, busy, ready: hydrated && !busy };
}

export function text(data: FormData, name: string): string {
  const value = data.get(name);
  return typeof value === "string" ? value : "";
}
