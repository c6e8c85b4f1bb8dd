"use client";

import Link from "next/link";

import { goTo } from "@/client/navigation";

import { Failure } from "./form-parts";
import { TextField } from "./text-field";
import { text, useAccountForm } from "./use-account-form";
import { SHORTEST_PASSWORD, signUpErrors } from "./validation";

export function SignUpForm({ destination }: { destination: string }) {
  const { submit, errors, failure, busy, ready } = useAccountForm({
    path: "/api/auth/sign-up/email",
    onDone: () => goTo(destination),
    validate: (data) =>
      signUpErrors({
        name: text(data, "name"),
        email: text(data, "email"),
        password: text(data, "password"),
        confirmation: text(data, "confirmation"),
      }),
    body: (data) => ({
      name: text(data, "name").trim(),
      email: text(data, "email").trim(),
      password: text(data, "password"),
    }),
    // Signing up says nothing about who has an account; the password does, to whoever knows it.
    then: {
      path: "/api/auth/sign-in/email",
      body: (data) => ({ email: text(data, "email").trim(), password: text(data, "password") }),
    },
  });

  return (
    <form method="post" onSubmit={submit} noValidate className="space-y-4">
      <TextField label="Name" name="name" autoComplete="name" required error={errors.name} />
      <TextField label="Email" name="email" type="email" autoComplete="email" required error={errors.email} />
      <TextField
        label="Password"
        name="password"
        type="password"
        autoComplete="new-password"
        placeholder={`At least ${SHORTEST_PASSWORD} characters`}
        required
        error={errors.password}
      />
      <TextField
        label="Confirm password"
        name="confirmation"
        type="password"
        autoComplete="new-password"
        required
        error={errors.confirmation}
      />
      <Failure text={failure} />
      {failure !== null && (
        <p className="text-sm text-muted">
          Have you been here before? Then{" "}
          <Link className="link" href="/auth/signin">
            sign in
          </Link>{" "}
          with your own password.
        </p>
      )}
      <button type="submit" className="button-primary w-full" disabled={!ready}>
        {busy ? "Creating…" : "Create account"}
      </button>
    </form>
  );
}
