import type { Metadata } from "next";
import Link from "next/link";
import { redirect } from "next/navigation";

import { callbackPath } from "@/account/callback";
import { AccountPage } from "@/account/form-parts";
import { SignInForm } from "@/account/sign-in-form";
import { currentUser } from "@/server/session";

export const metadata: Metadata = { title: "Sign in" };

type Properties = { searchParams: Promise<{ callbackUrl?: string | string[]; changed?: string | string[] }> };

export default async function SignInPage({ searchParams }: Properties) {
  const { callbackUrl, changed } = await searchParams;
  const destination = callbackPath(callbackUrl);
  if (await currentUser()) redirect(destination);
  return (
    <AccountPage
      title="Welcome back"
      hint={
        <>
          New here?{" "}
          <Link className="link" href={`/auth/signup?callbackUrl=${encodeURIComponent(destination)}`}>
            Sign up
          </Link>
        </>
      }
    >
      {changed === "password" && (
        <p role="status" className="mb-5 rounded-lg bg-accent-soft px-4 py-3">
          Your new password is set.
        </p>
      )}
      <SignInForm destination={destination} />
    </AccountPage>
  );
}
