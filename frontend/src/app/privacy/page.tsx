import type { Metadata } from "next";
import Link from "next/link";

import { Prose, SiteFrame } from "@/site/site-frame";

export const metadata: Metadata = { title: "Privacy" };

export default function PrivacyPage() {
  return (
    <SiteFrame>
      <Prose title="Privacy" lead="What this application keeps about you, where it goes, and how it is deleted.">
        <h2>What is kept</h2>
        <ul>
          <li>Your name, your e-mail address, and your password as a hash that cannot be turned back.</li>
          <li>Your tasks, and your conversations with the assistant.</li>
          <li>Your sessions: when each began and ends, the network address and the browser it was begun with.</li>
        </ul>
        <p>All of it is kept in the operator’s own database.</p>
        <h2>Cookies</h2>
        <p>
          One cookie holds your session while you are signed in; scripts cannot read it. Another remembers light or dark, if you chose.
          There are no others: nobody is followed, and nothing is loaded from other sites.
        </p>
        <h2>The assistant</h2>
        <p>
          What you write to the assistant, earlier messages of that conversation, and the tasks it looks up are sent to the language
          model that the operator has chosen. The chat shows its name above each conversation. Where it says “offline model”, nothing
          leaves the operator’s machines. If you would rather not use it, the dashboard does everything without.
        </p>
        <h2>Logs</h2>
        <p>
          The logs say which kind of request was made, when, and how it ended. They hold no messages, no tasks, no passwords and no
          cookies.
        </p>
        <h2>Deleting</h2>
        <p>
          A task or a conversation that you delete is deleted from the database at once. To have your whole account deleted, ask the
          operator, for instance by the{" "}
          <Link href="/contact" className="link">
            contact page
          </Link>
          .
        </p>
      </Prose>
    </SiteFrame>
  );
}
