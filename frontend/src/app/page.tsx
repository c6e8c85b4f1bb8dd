import Link from "next/link";

import { Brand } from "@/ui/brand";
import { Icon, type IconName } from "@/ui/icon";

const FEATURES: readonly { icon: IconName; title: string; text: string }[] = [
  { icon: "chat", title: "Say it", text: "“Add call the dentist for tomorrow” becomes a task. No form to fill in." },
  { icon: "wrench", title: "See what happened", text: "Each answer shows which tools the assistant used, and on which task." },
  { icon: "list", title: "Or just click", text: "The same tasks on a plain list, with priorities and due dates." },
];

/** The first page. It asks nothing of any other service, so it also tells that this one is alive. */
export default function LandingPage() {
  return (
    <div className="flex min-h-dvh flex-col">
      <header className="mx-auto flex w-full max-w-5xl items-center justify-between px-4 py-5">
        <Brand />
        <nav aria-label="Account" className="flex items-center gap-2">
          <Link href="/auth/signin" className="button-quiet">
            Sign in
          </Link>
        </nav>
      </header>
      <main className="mx-auto w-full max-w-5xl flex-1 px-4 pt-12 pb-16 sm:pt-20">
        <h1 className="max-w-2xl text-4xl font-semibold tracking-tight text-balance sm:text-6xl">A todo list that you can talk to</h1>
        <p className="mt-5 max-w-xl text-lg text-pretty text-muted">
          Write what you have in mind. The assistant adds, finds, changes and completes your tasks, and shows you each step.
        </p>
        <div className="mt-8 flex flex-wrap gap-3">
          <Link href="/auth/signup" className="button-primary min-h-12 px-6 text-base">
            Get started
          </Link>
          <Link href="/dashboard" prefetch={false} className="button-quiet min-h-12 px-6 text-base">
            Open my tasks
          </Link>
        </div>
        <ul className="mt-16 grid gap-4 sm:grid-cols-3">
          {FEATURES.map(({ icon, title, text }) => (
            <li key={title} className="card p-5">
              <span className="flex size-10 items-center justify-center rounded-xl bg-accent-soft text-accent">
                <Icon name={icon} className="size-5" />
              </span>
              <h2 className="mt-4 font-semibold">{title}</h2>
              <p className="mt-1 text-sm text-muted">{text}</p>
            </li>
          ))}
        </ul>
      </main>
      <footer className="border-t border-line py-6 text-center text-sm text-muted">Todo AI</footer>
    </div>
  );
}
