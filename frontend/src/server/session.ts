import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { cache } from "react";

import { auth } from "./auth";

export type User = { id: string; name: string; email: string };

/** The signed-in user of this request, or null; looked up in the database, once per request. */
export const currentUser = cache(async (): Promise<User | null> => {
  const session = await auth().api.getSession({
    headers: await headers(),
    // A page cannot send a renewed cookie; the browser renews it through /api/auth/get-session.
    query: { disableRefresh: true },
  });
  if (!session) return null;
  const { id, name, email } = session.user;
  return { id, name, email };
});

/** The signed-in user; a visitor is sent to sign in and comes back to `page`. */
export async function requireUser(page: string): Promise<User> {
  const user = await currentUser();
  if (!user) redirect(`/auth/signin?callbackUrl=${encodeURIComponent(page)}`);
  return user;
}
