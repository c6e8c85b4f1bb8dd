import type { Metadata } from "next";
import Link from "next/link";

import { Prose, SiteFrame } from "@/site/site-frame";

export const metadata: Metadata = { title: "Terms" };

export default function TermsPage() {
  return (
    <SiteFrame>
      <Prose title="Terms" lead="Short, because there is little to say. Whoever runs this installation is the operator.">
        <h2>What you may expect</h2>
        <p>
          A list that keeps what you put into it, and an assistant that changes it as you ask. The assistant can misunderstand; each
          answer shows what it really did, so that you can put it right.
        </p>
        <h2>What is expected of you</h2>
        <ul>
          <li>Keep your password to yourself; what is done with your account counts as done by you.</li>
          <li>Do not try to reach other people’s data, or to keep others from using the application.</li>
          <li>Do not put anything here that you may not keep or pass on.</li>
        </ul>
        <h2>What is not promised</h2>
        <p>
          The application is provided as it is. Keep a copy of what you cannot do without, and do not leave it to a todo list to remind
          you of what must not be missed.
        </p>
        <h2>Your data</h2>
        <p>
          Your tasks and conversations stay yours. What is kept of them, and where it goes, stands on the{" "}
          <Link href="/privacy" className="link">
            privacy page
          </Link>
          .
        </p>
      </Prose>
    </SiteFrame>
  );
}
