import type { Metadata } from "next";

import { requireUser } from "@/server/session";
import { Dashboard } from "@/tasks/dashboard";
import { parametersOf, queryFrom } from "@/tasks/task-query";
import { AppFrame } from "@/ui/app-frame";

export const metadata: Metadata = { title: "Dashboard" };

type Properties = { searchParams: Promise<Record<string, string | string[] | undefined>> };

export default async function DashboardPage({ searchParams }: Properties) {
  const query = queryFrom(await searchParams);
  const user = await requireUser(`/dashboard?${parametersOf(query)}`.replace(/\?$/, ""));
  return (
    <AppFrame user={user}>
      <main className="mx-auto w-full max-w-3xl px-4 py-8 sm:py-12">
        <h1 className="mb-5 text-3xl">Your tasks</h1>
        <Dashboard userId={user.id} initial={query} />
      </main>
    </AppFrame>
  );
}
