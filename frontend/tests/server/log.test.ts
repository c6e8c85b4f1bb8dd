import { DatabaseError } from "pg";
import { expect, it, vi } from "vitest";

import { ConfigurationError } from "@/server/configuration";
import { log, reason } from "@/server/log";

it("writes one line of JSON", () => {
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  log("info", "proxy", { status: 200, text: "two\nlines" });
  const line = String(write.mock.calls[0]?.[0]);
  expect(line.trimEnd()).not.toContain("\n");
  expect(JSON.parse(line)).toMatchObject({ level: "info", service: "frontend", event: "proxy", status: 200 });
});

it("tells why, without what rows hold", () => {
  const duplicate = new DatabaseError('invalid input "ada@example.com"', 1, "error");
  duplicate.code = "22P02";
  duplicate.severity = "ERROR";
  expect(reason(duplicate)).toBe("database error 22P02");
  expect(reason(new ConfigurationError("DATABASE_URL is not set"))).toBe("DATABASE_URL is not set");
  expect(reason(Object.assign(new Error("connect refused"), { code: "ECONNREFUSED" }))).toBe("Error ECONNREFUSED: connect refused");
  expect(reason(new TypeError("secret detail"))).toBe("TypeError");
  expect(reason("thrown text")).toBe("unknown failure");
});
