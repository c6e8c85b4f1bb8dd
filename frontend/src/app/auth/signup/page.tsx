import type { Metadata } from "next";
import Link from "next/link";
import { redirect } from "next/navigation";

import { callbackPath } from "@/account/callback";
import { AccountPage } from "@/account/form-parts";
import { SignUpForm } from "@/account/sign-up-form";
import { currentUser } from "@/server/session";

export const metadata: Metadata = { title: "Sign up" };

type Properties = { searchParams: Promise<{ callbackUrl?: string | string[] }> };

export default async function SignUpPage({ searchParams }: Properties) {
  const destination = callbackPath((await searchParams).callbackUrl);
  if (await currentUser()) redirect(destination);
  return (
    <AccountPage
      title="Start your list"
      hint={
        <>
          Already registered?{" "}
          <Link className="link" href={`/auth/signin?callbackUrl=${encodeURIComponent(destination)}`}>
            Sign in
          </Link>
        </>
      }
    >
      <SignUpForm destination={destination} />
      <p className="mt-5 text-sm text-muted">
        By creating an account you agree to the{" "}
        <Link className="link" href="/terms">
          terms
        </Link>
        . What is kept about you stands on the{" "}
        <Link className="link" href="/privacy">
          privacy page
        </Link>
        .
      </p>
    </AccountPage>
  );
}
