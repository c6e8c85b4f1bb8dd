import type { Metadata } from "next";
import type { ReactNode } from "react";

import { ENDPOINTS, EVENTS, STATUSES, TOOLS } from "@/site/interface";
import { Prose, SiteFrame } from "@/site/site-frame";

export const metadata: Metadata = { title: "Developers" };

const CONTENTS = [
  ["signing-in", "Signing in"],
  ["rest", "REST interface"],
  ["tasks", "Tasks"],
  ["chat", "Chat"],
  ["errors", "Errors"],
  ["mcp", "MCP server"],
] as const;

const SIGN_IN = `curl -c cookies -H 'Content-Type: application/json' \\
  -d '{"email": "ada@example.com", "password": "…"}' \\
  "$SITE/api/auth/sign-in/email"`;

const ADD = `curl -b cookies -H 'Content-Type: application/json' \\
  -d '{"title": "Buy milk", "priority": "high",
       "target_completion_date": "2026-12-01T00:00:00Z"}' \\
  "$SITE/api/proxy/$USER_ID/tasks"`;

const CHAT = `curl -N -b cookies -H 'Content-Type: application/json' \\
  -H 'Accept: text/event-stream' \\
  -H "Idempotency-Key: $(uuidgen)" \\
  -d '{"message": "add buy milk for tomorrow"}' \\
  "$SITE/api/proxy/$USER_ID/chat"`;

export default function DevelopersPage() {
  return (
    <SiteFrame>
      <Prose title="Developers" lead="Two interfaces: one for programs that act for a signed-in person, one for the assistant’s tools.">
        <nav aria-label="On this page" className="mt-8 flex flex-wrap gap-x-5 gap-y-1 border-y border-line py-3">
          {CONTENTS.map(([id, title]) => (
            <a key={id} href={`#${id}`} className="link">
              {title}
            </a>
          ))}
        </nav>
        <h2 id="signing-in">Signing in</h2>
        <p>
          Every request carries the session cookie, which signing in sets. The answer names the person’s id, which stands in each path
          below. A session lasts 24 hours and is renewed by use. Requests from a browser must come from this site’s own pages.
        </p>
        <Code>{SIGN_IN}</Code>
        <h2 id="rest">REST interface</h2>
        <p>
          JSON in both directions, below <code>/api/proxy/{"{user_id}"}</code>. Each answer carries <code>X-Request-ID</code>; send
          your own to find a request again in the logs of all services.
        </p>
        <Table head={["Request", "What it does"]} rows={ENDPOINTS.map(({ method, path, does }) => [`${method} ${path}`, does])} />
        <h2 id="tasks">Tasks</h2>
        <p>
          A task has a <code>title</code> (1 to 200 characters), a <code>description</code> (up to 1000), a <code>priority</code> (high,
          medium, low) and a <code>target_completion_date</code>: a day, written as its midnight with the mark Z, or a day with a time
          of your own clock, or null. The header <code>X-Time-Zone</code> (Asia/Kolkata) says where you are.
        </p>
        <Code>{ADD}</Code>
        <p>
          The list takes <code>status</code> (all, pending, completed, overdue), <code>priority</code>, <code>search</code>,{" "}
          <code>sort</code> (created, due, priority, title), <code>order</code> (asc, desc), <code>limit</code> (1 to 200) and{" "}
          <code>offset</code>. It answers the tasks with the numbers <code>total</code>, <code>completed</code> and{" "}
          <code>pending</code> of all, and <code>matching</code> of those that were asked for.
        </p>
        <h2 id="chat">Chat</h2>
        <p>
          A message has 1 to 2000 characters. Give the <code>conversation_id</code> of an answer to go on with that conversation. With{" "}
          <code>Accept: text/event-stream</code> the answer comes piece by piece, else as one JSON object.
        </p>
        <Code>{CHAT}</Code>
        <Table head={["Event", "What it carries"]} rows={EVENTS.map(({ name, carries }) => [name, carries])} />
        <p>
          An <code>Idempotency-Key</code> makes a message safe to send again: for ten minutes the same key gets the same answer, and
          nothing is done twice.
        </p>
        <h2 id="errors">Errors</h2>
        <p>
          The body is <code>{'{"detail": …}'}</code>.
        </p>
        <Table head={["Status", "What it means"]} rows={STATUSES.map(({ status, means }) => [status, means])} />
        <h2 id="mcp">MCP server</h2>
        <p>
          The assistant’s tools are served over streamable HTTP, inside the cluster and to the backend alone. For whom a tool acts is
          stated by a signed token that the model never sees; no tool has a parameter for it.
        </p>
        <Table head={["Tool", "Takes"]} rows={TOOLS.map(({ name, takes }) => [name, takes])} />
      </Prose>
    </SiteFrame>
  );
}

function Code({ children }: { children: string }) {
  return (
    <pre tabIndex={0}>
      <code>{children}</code>
    </pre>
  );
}

function Table({ head, rows }: { head: [string, string]; rows: readonly [ReactNode, ReactNode][] }) {
  return (
    <table className="w-full text-left">
      <thead>
        <tr className="border-b border-line text-sm text-muted">
          {head.map((title) => (
            <th key={title} scope="col" className="py-2 pr-4 font-normal">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, text], place) => (
          <tr key={place} className="border-b border-line align-top">
            <th scope="row" className="py-2 pr-4 font-mono text-sm font-normal [overflow-wrap:anywhere]">
              {name}
            </th>
            <td className="py-2">{text}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
