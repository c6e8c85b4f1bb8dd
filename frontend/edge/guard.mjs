/**
 * What stands before every route of the server: who asks, how much they may send, and how long they may take.
 *
 * The application is asked once the whole body is here. Until then a request costs its own bytes and nothing else, and a
 * body that is too large is answered 413 and thrown away as it comes, whether its length was declared or not.
 */

import { randomUUID } from "node:crypto";

export const LARGEST_BODY_BYTES = 64 * 1024;

/** Ends senders and readers that are too slow. The last is above the longest silence of an answer that is under way. */
export const TIMES = {
  headersTimeout: 15_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  // Longer than proxies keep idle connections, so that none is closed under a request.
  keepAliveTimeout: 100_000,
};
export const SILENCE_MS = 120_000;

const ACCEPTABLE_ID = /^[A-Za-z0-9._-]{8,128}$/;

/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {import("node:http").ServerResponse} Response */
/** @typedef {(request: Request, response: Response) => unknown} Listener */

/**
 * `listener` behind the bounds; `report` hears of what was refused.
 *
 * @param {Listener} listener
 * @param {(fields: Record<string, unknown>) => void} report
 * @param {number} largest bytes of a body
 * @returns {Listener}
 */
export function guarded(listener, report, largest = LARGEST_BODY_BYTES) {
  return (request, response) => {
    appendAddress(request);
    const declared = Number(request.headers["content-length"] ?? 0);
    if (declared === 0 && request.headers["transfer-encoding"] === undefined) return listener(request, response);
    const refuse = () => tooLarge(request, response, largest, report);
    const collector = new Collector(declared > largest ? 0 : largest, refuse);
    // The parser hands the body to `push`. Nothing is read before the listener is, so the stream itself cannot bound it.
    request.push = (part) => {
      if (part !== null) return collector.take(part);
      Reflect.deleteProperty(request, "push");
      const whole = collector.whole();
      if (whole === null) return request.push(null);
      if (whole.length > 0) request.push(whole);
      request.push(null);
      listener(request, response);
      return true;
    };
    if (declared > largest) collector.refuse();
  };
}

/** A body up to a limit in one buffer; beyond it nothing is kept. */
class Collector {
  #kept = Buffer.alloc(0);
  #size = 0;
  #refused = false;

  /**
   * @param {number} largest
   * @param {() => void} refuse
   */
  constructor(largest, refuse) {
    this.largest = largest;
    this.onRefused = refuse;
  }

  /** @param {Buffer} part */
  take(part) {
    if (this.#refused) return true;
    const size = this.#size + part.length;
    if (size > this.largest) return this.refuse();
    if (size > this.#kept.length) {
      // Doubled, and copied: many small parts would otherwise weigh far more than the bytes in them.
      const larger = Buffer.alloc(Math.min(this.largest, Math.max(size, 2 * this.#kept.length, 1_024)));
      this.#kept.copy(larger, 0, 0, this.#size);
      this.#kept = larger;
    }
    part.copy(this.#kept, this.#size);
    this.#size = size;
    return true;
  }

  refuse() {
    if (!this.#refused) {
      this.#refused = true;
      this.#kept = Buffer.alloc(0);
      this.onRefused();
    }
    return true;
  }

  /** The body, or null where it was refused. */
  whole() {
    return this.#refused ? null : this.#kept.subarray(0, this.#size);
  }
}

/**
 * Behind what proxies wrote comes the peer of this connection, which nobody can choose: counted from the end, the list
 * says the same with any number of proxies.
 *
 * @param {Request} request
 */
function appendAddress(request) {
  const peer = (request.socket.remoteAddress ?? "unknown").replace(/^::ffff:(?=\d+\.)/, "");
  const written = request.headers["x-forwarded-for"];
  request.headers["x-forwarded-for"] = written ? `${written}, ${peer}` : peer;
}

/**
 * @param {Request} request
 * @param {Response} response
 * @param {number} largest
 * @param {(fields: Record<string, unknown>) => void} report
 */
function tooLarge(request, response, largest, report) {
  const given = String(request.headers["x-request-id"] ?? "");
  const id = ACCEPTABLE_ID.test(given) ? given : randomUUID();
  report({ request_id: id, method: request.method, status: 413 });
  const body = JSON.stringify({ detail: `The request is too large: at most ${largest} bytes.` });
  response.writeHead(413, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Request-ID": id,
  });
  response.end(body);
}
