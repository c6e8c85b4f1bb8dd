import type { Metadata } from "next";

import { Chat } from "@/chat/chat";
import { requireUser } from "@/server/session";
import { AppFrame } from "@/ui/app-frame";

export const metadata: Metadata = { title: "Chat" };

type Properties = { searchParams: Promise<{ c?: string | string[] }> };

export default async function ChatPage({ searchParams }: Properties) {
  const { c: conversation } = await searchParams;
  const chosen = typeof conversation === "string" ? conversation : null;
  const user = await requireUser(chosen === null ? "/chat" : `/chat?c=${encodeURIComponent(chosen)}`);
  const firstName = user.name.split(/\s/)[0] ?? user.name;
  return (
    <AppFrame user={user} fixed>
      <Chat userId={user.id} firstName={firstName} conversation={chosen} />
    </AppFrame>
  );
}
