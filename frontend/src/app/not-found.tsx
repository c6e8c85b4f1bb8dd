import Link from "next/link";

import { Brand } from "@/ui/brand";

export default function NotFound() {
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center gap-4 px-4 text-center">
      <Brand />
      <h1 className="text-2xl font-semibold">This page does not exist</h1>
      <Link href="/" className="button-quiet">
        Go to the start
      </Link>
    </main>
  );
}
