import { cookies } from "next/headers";
import Link from "next/link";
import type { ReactNode } from "react";

import { Brand } from "@/ui/brand";
import { Icon } from "@/ui/icon";
import { Menu } from "@/ui/menu";
import { THEME_COOKIE, themeFrom } from "@/ui/theme";
import { ThemeSwitch } from "@/ui/theme-switch";

import { LEGAL_PAGES, SITE_PAGES } from "./pages";

/** Header and footer of the pages for everyone. Asks no other service: the first page also serves as liveness probe. */
export async function SiteFrame({ children }: { children: ReactNode }) {
  const theme = themeFrom((await cookies()).get(THEME_COOKIE)?.value);
  return (
    <div className="flex min-h-dvh flex-col">
      <header className="mx-auto flex h-16 w-full max-w-5xl items-center gap-1 px-4 sm:px-6">
        <Brand />
        <nav aria-label="Main" className="ml-6 flex gap-1 max-md:hidden">
          {SITE_PAGES.map(({ href, label }) => (
            <Link key={href} href={href} className="rounded-md px-2.5 py-1.5 text-muted hover:text-ink">
              {label}
            </Link>
          ))}
        </nav>
        <span className="flex-1" />
        <ThemeSwitch initial={theme} />
        <Link href="/auth/signin" className="button-quiet ml-1 max-[22rem]:hidden">
          Sign in
        </Link>
        <Menu label="Pages" icon={<Icon name="menu" />} className="md:hidden">
          {[...SITE_PAGES, { href: "/auth/signin", label: "Sign in" }].map(({ href, label }) => (
            <Link key={href} href={href} className="block rounded-lg px-3 py-2 hover:bg-raised">
              {label}
            </Link>
          ))}
        </Menu>
      </header>
      <main className="mx-auto w-full max-w-5xl flex-1 px-4 sm:px-6">{children}</main>
      <footer className="mx-auto mt-20 flex w-full max-w-5xl flex-wrap gap-x-6 gap-y-2 border-t border-line px-4 py-8 text-muted sm:px-6">
        <span className="flex-1 basis-full sm:basis-0">A todo list that you can talk to.</span>
        {[...SITE_PAGES.slice(2), ...LEGAL_PAGES].map(({ href, label }) => (
          <Link key={href} href={href} className="hover:text-ink hover:underline">
            {label}
          </Link>
        ))}
      </footer>
    </div>
  );
}

/** A page of running text. */
export function Prose({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  return (
    <article className="prose pt-10 pb-4 sm:pt-16">
      <h1 className="text-4xl">{title}</h1>
      <p className="mt-3 text-lg text-pretty text-muted">{lead}</p>
      {children}
    </article>
  );
}
