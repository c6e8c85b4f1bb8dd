"use client";

import { useState } from "react";

import { Failure } from "./form-parts";
import { TextField } from "./text-field";
import { text, useAccountForm } from "./use-account-form";
import { emailErrors } from "./validation";

export function ForgotPasswordForm() {
  const [sent, setSent] = useState(false);
  const { submit, errors, failure, busy, ready } = useAccountForm({
    path: "/api/auth/request-password-reset",
    onDone: () => setSent(true),
    validate: (data) => emailErrors(text(data, "email")),
    body: (data) => ({ email: text(data, "email").trim() }),
  });

  if (sent) {
    return (
      <p role="status" className="rounded-lg bg-accent-soft px-4 py-3">
        If there is an account with this address, a mail with a link is on its way. The link works for one hour.
      </p>
    );
  }
  return (
    <form method="post" onSubmit={submit} noValidate className="space-y-4">
      <TextField label="Email" name="email" type="email" autoComplete="email" required error={errors.email} />
      <Failure text={failure} />
      <button type="submit" className="button-primary w-full" disabled={!ready}>
        {busy ? "Asking…" : "Mail me a link"}
      </button>
    </form>
  );
}
