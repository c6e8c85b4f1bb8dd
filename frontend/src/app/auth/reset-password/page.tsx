import type { Metadata } from "next";
import Link from "next/link";

import { AccountPage } from "@/account/form-parts";
import { ResetPasswordForm } from "@/account/reset-password-form";

// The address holds the token: no other page is to learn it from the Referer.
export const metadata: Metadata = { title: "New password", referrer: "no-referrer" };

type Properties = { searchParams: Promise<{ token?: string | string[] }> };

export default async function ResetPasswordPage({ searchParams }: Properties) {
  const { token } = await searchParams;
  if (typeof token !== "string" || token === "") {
    return (
      <AccountPage
        title="This link is incomplete"
        hint="Open it from the mail once more, or ask for a new one."
      >
        <Link href="/auth/forgot-password" className="button-quiet w-full">
          Ask for a new link
        </Link>
      </AccountPage>
    );
  }
  return (
    <AccountPage title="New password" hint="You will be signed out everywhere, and sign in with the new one.">
      <ResetPasswordForm token={token} />
    </AccountPage>
  );
}
