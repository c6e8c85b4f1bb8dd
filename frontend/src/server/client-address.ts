import { isIPv6 } from "node:net";

import { trustedProxies } from "./configuration";

/** Where the authentication library hears who asks: it would take the proxies' own header as it comes. */
export const ADDRESS_HEADER = "x-todo-client-address";

/**
 * Who asks, as the outermost proxy that we trust saw them.
 *
 * `X-Forwarded-For` ends with the peer of the connection, which the server itself wrote there (edge/guard.mjs); before it
 * stands what each proxy wrote. Whatever is further to the left anybody may have made up.
 */
export function clientAddress(headers: Headers, proxies = trustedProxies()): string {
  const written = (headers.get("x-forwarded-for") ?? "").split(",").map((part) => part.trim()).filter((part) => part !== "");
  return written.at(-1 - proxies) ?? written[0] ?? "unknown";
}

/** What one customer of a provider has: an IPv4 address, or an IPv6 network of 64 bits. */
export function network(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const after = tail === "" ? [] : tail.split(":");
    groups.push(...Array<string>(Math.max(0, 8 - groups.length - after.length)).fill("0"), ...after);
  }
  return groups.slice(0, 4).map((group) => group.toLowerCase().replace(/^0+(?=.)/, "")).join(":");
}
