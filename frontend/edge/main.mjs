/** The entry of the process: Next.js' own server, behind the bounds of guard.mjs. */

import http from "node:http";

import { guarded, SILENCE_MS, TIMES } from "./guard.mjs";

/** @param {Record<string, unknown>} fields */
function report(fields) {
  const line = { time: new Date().toISOString(), level: "warning", service: "frontend", event: "body_refused", ...fields };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const plain = http.createServer;
// Under HTTPS browsers are told to come by nothing else, whatever controller stands before this server.
const secure = (process.env.BETTER_AUTH_URL ?? "").startsWith("https:");

// Next.js makes its server by this function, without options, and offers no other way to reach it.
http.createServer = /** @type {typeof http.createServer} */ (
  (/** @type {import("./guard.mjs").Listener} */ listener) => {
    const bounded = guarded(listener, report);
    const server = plain(TIMES, (request, response) => {
      if (secure) response.setHeader("Strict-Transport-Security", "max-age=31536000");
      bounded(request, response);
    });
    return server.setTimeout(SILENCE_MS);
  }
);

await import(new URL(process.argv[2] ?? "../server.js", process.argv[2] ? `file://${process.cwd()}/` : import.meta.url).href);
