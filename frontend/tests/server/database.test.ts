import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { ConfigurationError } from "@/server/configuration";
import { FreshClient, poolOptions } from "@/server/database";

type Case = Record<"url" | "role" | "password" | "host" | "database" | "sslmode", string> & {
  port: number;
  options?: string;
  connect_timeout?: number;
};
/** What the runbook and all services read alike. */
const table = JSON.parse(readFileSync(join(__dirname, "../../../tests/database_urls.json"), "utf8")) as {
  accepted: Case[];
  refused: { url: string; word: string }[];
};

let folder: string;
let authority: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "todo-frontend-"));
  authority = join(folder, "ca.crt");
  writeFileSync(authority, "the authority's certificate");
});
afterAll(() => rmSync(folder, { recursive: true }));

const url = (parameters: string) => `postgresql://todo_frontend:p%40ss%2Fword@db.test:5433/todo${parameters}`;

describe("the database's address", () => {
  it("is read into its parts, with the password's escapes undone", () => {
    const options = poolOptions(url(`?sslmode=verify-full&sslrootcert=${authority}`));
    expect(options).toMatchObject({ user: "todo_frontend", password: "p@ss/word", host: "db.test", port: 5433, database: "todo" });
    expect(options.max).toBe(5);
  });

  it("verify-full trusts the given authority alone and checks the name", () => {
    const { ssl } = poolOptions(url(`?sslmode=verify-full&sslrootcert=${authority}`));
    expect(ssl).toEqual({ ca: "the authority's certificate", rejectUnauthorized: true });
  });

  it("verify-full without an authority still verifies, by the public ones", () => {
    expect(poolOptions(url("?sslmode=verify-full")).ssl).toEqual({ rejectUnauthorized: true });
  });

  it("verify-ca checks the chain but not the name", () => {
    const { ssl } = poolOptions(url(`?sslmode=verify-ca&sslrootcert=${authority}`));
    expect(ssl).toMatchObject({ ca: "the authority's certificate", rejectUnauthorized: true });
    expect(ssl).toHaveProperty("checkServerIdentity");
  });

  it("require encrypts without verifying, as libpq does", () => {
    expect(poolOptions(url("?sslmode=require")).ssl).toEqual({ rejectUnauthorized: false });
  });

  it("disable does not encrypt", () => {
    expect(poolOptions(url("?sslmode=disable")).ssl).toBe(false);
  });

  it.each(["?sslmode=prefer", "?sslmode=allow", "?sslmode=nonsense", ""])("refuses %s, which may fall back to plain text", (parameters) => {
    expect(() => poolOptions(url(parameters))).toThrow(ConfigurationError);
  });

  it("needs no sslmode on this machine", () => {
    expect(poolOptions("postgresql://todo@localhost/todo").ssl).toBeUndefined();
  });

  it("says which file is missing and keeps the password to itself", () => {
    const broken = () => poolOptions(url("?sslmode=verify-full&sslrootcert=/absent/ca.crt"));
    expect(broken).toThrow(/\/absent\/ca\.crt.*ENOENT/);
    expect(broken).not.toThrow(/p@ss|p%40ss/);
  });

  it.each(["not an address", "mysql://root@db/todo"])("refuses %s", (address) => {
    expect(() => poolOptions(address)).toThrow(ConfigurationError);
  });

  it.each(table.accepted)("is read as all services read it: $url", (wanted) => {
    const options = poolOptions(wanted.url);
    expect(options).toMatchObject({ user: wanted.role, password: wanted.password, host: wanted.host, database: wanted.database });
    expect(options.port ?? 5432).toBe(wanted.port);
    expect(options.options).toBe(wanted.options);
    expect(options.connectionTimeoutMillis).toBe((wanted.connect_timeout ?? 15) * 1000);
    expect(options.ssl).toEqual({ rejectUnauthorized: wanted.sslmode !== "require" });
    expect("enableChannelBinding" in options).toBe(/channel_binding=(require|prefer)/.test(wanted.url));
  });

  it.each(table.refused)("is refused by its word: $url", ({ url: address, word }) => {
    const refused = () => poolOptions(address);
    expect(refused).toThrow(ConfigurationError);
    expect(refused).toThrow(word);
    expect(refused).not.toThrow(/hid|den@|zen@|db\.example/);
  });
});

it("each connection trusts the authority as it is by then", () => {
  vi.stubEnv("DATABASE_URL", url(`?sslmode=verify-full&sslrootcert=${authority}`));
  const trusted = () => (new FreshClient() as unknown as { ssl: { ca: string } }).ssl.ca;
  expect(trusted()).toBe("the authority's certificate");
  writeFileSync(authority, "the renewed one");
  expect(trusted()).toBe("the renewed one");
});
