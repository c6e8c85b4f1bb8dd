"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";

import { Icon, type IconName } from "./icon";

const PAGES: readonly { href: string; label: string; icon: IconName }[] = [
  { href: "/dashboard", label: "Dashboard", icon: "list" },
  { href: "/chat", label: "Chat", icon: "chat" },
];

export function AppNavigation() {
  const path = usePathname();
  return (
    <nav aria-label="Main" className="flex gap-1">
      {PAGES.map(({ href, label, icon }) => (
        <Link
          key={href}
          href={href}
          aria-current={path === href ? "page" : undefined}
          className="flex items-center gap-2 rounded-lg px-2.5 py-2 sm:px-3 text-sm text-muted hover:bg-raised hover:text-ink aria-[current]:bg-accent-soft aria-[current]:font-semibold aria-[current]:text-accent"
        >
          <Icon name={icon} className="size-4.5 max-[24rem]:hidden" />
          {label}
        </Link>
      ))}
    </nav>
  );
}
