import { expect, it } from "vitest";

import { signInErrors, signUpErrors } from "@/account/validation";

const GOOD = { name: "Ada", email: "ada@example.com", password: "12345678", confirmation: "12345678" };

it("accepts a complete form", () => {
  expect(signUpErrors(GOOD)).toEqual({});
  expect(signInErrors(GOOD)).toEqual({});
});

it.each([
  [{ name: "  " }, "name"],
  [{ name: "x".repeat(256) }, "name"],
  [{ email: "ada@example" }, "email"],
  [{ email: "" }, "email"],
  [{ password: "1234567", confirmation: "1234567" }, "password"],
  [{ confirmation: "12345679" }, "confirmation"],
])("%j is told at its field", (change, field) => {
  expect(Object.keys(signUpErrors({ ...GOOD, ...change }))).toEqual([field]);
});

it("signing in asks for no length, only for a password", () => {
  expect(signInErrors({ email: "ada@example.com", password: "" })).toHaveProperty("password");
  expect(signInErrors({ email: "ada@example.com", password: "old" })).toEqual({});
});
