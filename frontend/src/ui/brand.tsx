import Link from "next/link";

import { Icon } from "./icon";

export function Brand({ href = "/" }: { href?: string }) {
  return (
    <Link href={href} className="flex items-center gap-2 rounded-md font-serif text-lg font-semibold tracking-tight">
      <span className="flex size-6 items-center justify-center rounded-full bg-accent text-on-accent">
        <Icon name="check" className="size-3.5" />
      </span>
      Todo AI
    </Link>
  );
}
