import { describe, expect, it } from "vitest";

import { authSecret, backendUrl, ConfigurationError, databaseUrl, publicUrl, trustedOrigins } from "@/server/configuration";

describe("configuration", () => {
  it("names the variable that is missing", () => {
    expect(() => databaseUrl({})).toThrow(new ConfigurationError("DATABASE_URL is not set"));
    expect(() => databaseUrl({ DATABASE_URL: "  " })).toThrow("DATABASE_URL is not set");
  });

  it("refuses a secret that is too short, without repeating it", () => {
    expect(() => authSecret({ BETTER_AUTH_SECRET: "short-secret" })).toThrow(/at least 32/);
    expect(() => authSecret({ BETTER_AUTH_SECRET: "short-secret" })).not.toThrow(/short-secret/);
    expect(authSecret({ BETTER_AUTH_SECRET: "s".repeat(32) })).toHaveLength(32);
  });

  it("takes web addresses only", () => {
    expect(publicUrl({ BETTER_AUTH_URL: "http://todo.local" }).host).toBe("todo.local");
    for (const address of ["todo.local", "file:///etc/passwd", "javascript:alert(1)"]) {
      expect(() => publicUrl({ BETTER_AUTH_URL: address })).toThrow(ConfigurationError);
    }
  });

  it("keeps the backend's own path and drops the slash at its end", () => {
    expect(backendUrl({ BACKEND_URL: "http://backend-svc:8000" })).toBe("http://backend-svc:8000");
    expect(backendUrl({ BACKEND_URL: "http://localhost:3500/v1.0/invoke/backend/method/" })).toBe(
      "http://localhost:3500/v1.0/invoke/backend/method",
    );
  });

  it("trusts the public origin and those listed besides", () => {
    const environment = { BETTER_AUTH_URL: "http://todo.local/", BETTER_AUTH_TRUSTED_ORIGINS: " http://a.test:81 ,," };
    expect(trustedOrigins(environment)).toEqual(["http://todo.local", "http://a.test:81"]);
  });
});
