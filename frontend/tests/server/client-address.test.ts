import { expect, it } from "vitest";

import { clientAddress, network } from "@/server/client-address";

const asked = (written: string | null) => new Headers(written === null ? {} : { "X-Forwarded-For": written });

it.each([
  [0, "203.0.113.9", "203.0.113.9"],
  [0, "1.2.3.4, 203.0.113.9", "203.0.113.9"],
  [1, "203.0.113.9, 10.0.0.1", "203.0.113.9"],
  [1, "1.2.3.4, 203.0.113.9, 10.0.0.1", "203.0.113.9"],
  [2, "203.0.113.9, 10.0.0.2, 10.0.0.1", "203.0.113.9"],
  [2, "1.2.3.4,5.6.7.8 , 203.0.113.9,10.0.0.2,10.0.0.1", "203.0.113.9"],
  // A way past a proxy, such as a forwarded port: the first that is known.
  [1, "127.0.0.1", "127.0.0.1"],
  [1, null, "unknown"],
])("behind %d proxies, %j is %s", (proxies, written, address) => {
  expect(clientAddress(asked(written), proxies)).toBe(address);
});

it.each([
  ["203.0.113.9", "203.0.113.9"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:DB8:1:2::1", "2001:db8:1:2"],
  ["2001:0db8:0001:0002::1", "2001:db8:1:2"],
  ["2001:db8::1", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["unknown", "unknown"],
])("%s is one of %s", (address, common) => {
  expect(network(address)).toBe(common);
});
