import Link from "next/link";

import { Demo } from "@/site/demo";
import { SiteFrame } from "@/site/site-frame";

const FEATURES = [
  {
    title: "Say it in your own words",
    text: "“Call the dentist tomorrow, urgent” becomes a task with a due date and a priority. So do “rename”, “done”, “what is overdue?” and “delete”.",
  },
  {
    title: "See what was done",
    text: "With each answer stands what the assistant really did to your list: added, changed, completed, deleted. What does not stand there did not happen.",
  },
  {
    title: "Or do it by hand",
    text: "The same tasks on a plain page: search, filters, due dates, priorities, and a key for what you do most.",
  },
  {
    title: "Yours alone",
    text: "The assistant acts for the person who is signed in, and for nobody else. Which person that is, it cannot choose.",
  },
];

/** The first page. It asks nothing of any other service, so it also tells that this one is alive. */
export default function LandingPage() {
  return (
    <SiteFrame>
      <section className="grid items-center gap-x-14 gap-y-12 pt-14 sm:pt-20 lg:grid-cols-[1fr_1.05fr]">
        <div>
          <h1 className="text-5xl leading-[1.08] sm:text-6xl">A todo list that you can talk to</h1>
          <p className="mt-5 max-w-md text-lg text-pretty text-muted">
            Write what you have in mind. The assistant adds, finds, changes and completes your tasks, and shows you each step.
          </p>
          <div className="mt-8 flex flex-wrap gap-3">
            <Link href="/auth/signup" className="button-primary min-h-11 px-6">
              Get started
            </Link>
            <Link href="/dashboard" prefetch={false} className="button-quiet min-h-11 px-6">
              Open my tasks
            </Link>
          </div>
        </div>
        <Demo />
      </section>
      <section id="features" aria-labelledby="features-title" className="mt-24 scroll-mt-8 border-t border-line pt-12">
        <h2 id="features-title" className="text-3xl">
          What it does
        </h2>
        <dl className="mt-8 grid gap-x-14 gap-y-9 sm:grid-cols-2">
          {FEATURES.map(({ title, text }) => (
            <div key={title}>
              <dt className="text-lg font-semibold">{title}</dt>
              <dd className="mt-1.5 text-pretty text-muted">{text}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section aria-labelledby="developers-title" className="mt-20 border-t border-line pt-12">
        <h2 id="developers-title" className="text-3xl">
          For developers
        </h2>
        <p className="mt-4 max-w-2xl text-pretty text-muted">
          All that the pages do goes through a REST interface; all that the assistant does, through a server of the Model Context
          Protocol. Both are described, with the answers and the errors they give.
        </p>
        <p className="mt-4">
          <Link href="/developers" className="link">
            Read the interface
          </Link>
        </p>
      </section>
    </SiteFrame>
  );
}
