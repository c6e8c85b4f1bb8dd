"use client";

import Link from "next/link";

import { goTo } from "@/client/navigation";

import { Failure } from "./form-parts";
import { TextField } from "./text-field";
import { text, useAccountForm } from "./use-account-form";
import { signInErrors } from "./validation";

export function SignInForm({ destination }: { destination: string }) {
  const { submit, errors, failure, busy, ready } = useAccountForm({
    path: "/api/auth/sign-in/email",
    onDone: () => goTo(destination),
    validate: (data) => signInErrors({ email: text(data, "email"), password: text(data, "password") }),
    body: (data) => ({
      email: text(data, "email").trim(),
      password: text(data, "password"),
      rememberMe: data.has("remember"),
    }),
  });

  return (
    <form method="post" onSubmit={submit} noValidate className="space-y-4">
      <TextField label="Email" name="email" type="email" autoComplete="email" required error={errors.email} />
      <TextField
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        required
        error={errors.password}
      />
      <div className="flex flex-wrap items-center justify-between gap-2">
        <label className="flex items-center gap-2">
          <input type="checkbox" name="remember" defaultChecked className="size-4 accent-accent" />
          Remember me
        </label>
        <Link href="/auth/forgot-password" className="link">
          Forgotten it?
        </Link>
      </div>
      <Failure text={failure} />
      <button type="submit" className="button-primary w-full" disabled={!ready}>
        {busy ? "Signing in…" : "Sign in"}
      </button>
    </form>
  );
}
