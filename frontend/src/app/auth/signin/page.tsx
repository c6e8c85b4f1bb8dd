import type { Metadata } from "next";
import Link from "next/link";
import { redirect } from "next/navigation";

import { callbackPath } from "@/account/callback";
import { AccountPage } from "@/account/form-parts";
import { SignInForm } from "@/account/sign-in-form";
import { currentUser } from "@/server/session";

export const metadata: Metadata = { title: "Sign in" };

type Properties = { searchParams: Promise<{ callbackUrl?: string | string[] }> };

export default async function SignInPage({ searchParams }: Properties) {
  const destination = callbackPath((await searchParams).callbackUrl);
  if (await currentUser()) redirect(destination);
  return (
    <AccountPage
      title="Welcome back"
      hint={
        <>
          New here?{" "}
          <Link className="font-medium text-accent underline" href={`/auth/signup?callbackUrl=${encodeURIComponent(destination)}`}>
            Sign up
          </Link>
        </>
      }
    >
      <SignInForm destination={destination} />
    </AccountPage>
  );
}
