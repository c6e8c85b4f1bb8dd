"use client";

import { goTo } from "@/client/navigation";

import { Failure } from "./form-parts";
import { TextField } from "./text-field";
import { text, useAccountForm } from "./use-account-form";
import { passwordErrors, SHORTEST_PASSWORD } from "./validation";

export function ResetPasswordForm({ token }: { token: string }) {
  const { submit, errors, failure, busy, ready } = useAccountForm({
    path: "/api/auth/reset-password",
    onDone: () => goTo("/auth/signin?changed=password"),
    validate: (data) => passwordErrors({ password: text(data, "password"), confirmation: text(data, "confirmation") }),
    body: (data) => ({ newPassword: text(data, "password"), token }),
  });

  return (
    <form method="post" onSubmit={submit} noValidate className="space-y-4">
      <TextField
        label="New password"
        name="password"
        type="password"
        autoComplete="new-password"
        placeholder={`At least ${SHORTEST_PASSWORD} characters`}
        required
        error={errors.password}
      />
      <TextField label="Confirm password" name="confirmation" type="password" autoComplete="new-password" required error={errors.confirmation} />
      <Failure text={failure} />
      <button type="submit" className="button-primary w-full" disabled={!ready}>
        {busy ? "Saving…" : "Set the password"}
      </button>
    </form>
  );
}
