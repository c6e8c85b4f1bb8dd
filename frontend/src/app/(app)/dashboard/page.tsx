import type { Metadata } from "next";

import { requireUser } from "@/server/session";
import { Dashboard } from "@/tasks/dashboard";
import { AppFrame } from "@/ui/app-frame";

export const metadata: Metadata = { title: "Dashboard" };

export default async function DashboardPage() {
  const user = await requireUser("/dashboard");
  return (
    <AppFrame user={user}>
      <main className="mx-auto w-full max-w-3xl px-4 py-6 sm:py-8">
        <h1 className="mb-4 text-2xl font-semibold tracking-tight">Your tasks</h1>
        <Dashboard userId={user.id} />
      </main>
    </AppFrame>
  );
}
