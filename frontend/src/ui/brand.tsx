import Link from "next/link";

import { Icon } from "./icon";

export function Brand({ href = "/" }: { href?: string }) {
  return (
    <Link href={href} className="flex items-center gap-2 rounded-lg font-semibold tracking-tight">
      <span className="flex size-7 items-center justify-center rounded-lg bg-accent text-on-accent">
        <Icon name="check" className="size-4" />
      </span>
      Todo AI
    </Link>
  );
}
