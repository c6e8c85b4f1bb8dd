import type { ReactNode } from "react";

import { Brand } from "@/ui/brand";

export default function AccountLayout({ children }: { children: ReactNode }) {
  return (
    <div className="flex min-h-dvh flex-col items-center px-4 py-10 sm:justify-center">
      <header className="mb-8">
        <Brand />
      </header>
      <main className="card w-full max-w-md p-6 sm:p-8">{children}</main>
    </div>
  );
}
