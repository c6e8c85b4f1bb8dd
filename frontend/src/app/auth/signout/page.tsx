import type { Metadata } from "next";
import Link from "next/link";

import { AccountPage } from "@/account/form-parts";

export const metadata: Metadata = { title: "Sign out" };

/** Asks first: a link alone, which any page could make a browser follow, ends no session. */
export default function SignOutPage() {
  return (
    <AccountPage title="Sign out?" hint="Your tasks and conversations stay where they are.">
      <form method="post" action="/api/signout" className="flex gap-3">
        <button type="submit" className="button-primary flex-1">
          Sign out
        </button>
        <Link href="/dashboard" className="button-quiet flex-1">
          Stay
        </Link>
      </form>
    </AccountPage>
  );
}
