import { cookies } from "next/headers";
import type { ReactNode } from "react";

import { Providers } from "@/client/providers";

import { AppNavigation } from "./app-navigation";
import { Brand } from "./brand";
import { THEME_COOKIE, themeFrom } from "./theme";
import { ThemeSwitch } from "./theme-switch";
import { UserMenu } from "./user-menu";

type Properties = {
  user: { name: string; email: string };
  children: ReactNode;
  /** Whether the page is as high as the window and scrolls inside. */
  fixed?: boolean;
};

/** Header and shared state of the pages behind the sign-in. */
export async function AppFrame({ user, children, fixed = false }: Properties) {
  const theme = themeFrom((await cookies()).get(THEME_COOKIE)?.value);
  return (
    <div className={`flex flex-col ${fixed ? "h-dvh" : "min-h-dvh"}`}>
      <header className="sticky top-0 z-20 border-b border-line bg-canvas/95">
        <div className="mx-auto flex h-14 max-w-7xl items-center gap-1 px-4 sm:gap-6">
          <span className="max-sm:hidden">
            <Brand href="/dashboard" />
          </span>
          <AppNavigation />
          <span className="flex-1" />
          <ThemeSwitch initial={theme} />
          <UserMenu name={user.name} email={user.email} />
        </div>
      </header>
      <Providers>{children}</Providers>
    </div>
  );
}
