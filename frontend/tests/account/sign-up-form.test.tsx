// @vitest-environment jsdom
import { render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, type MockInstance, vi } from "vitest";

import { SignUpForm } from "@/account/sign-up-form";
import * as navigation from "@/client/navigation";

import { person } from "../person";

const fetchMock = vi.fn<typeof fetch>();
let goTo: MockInstance<typeof navigation.goTo>;

beforeEach(() => {
  vi.stubGlobal("fetch", fetchMock);
  goTo = vi.spyOn(navigation, "goTo").mockImplementation(() => undefined);
});
afterEach(() => fetchMock.mockReset());

async function fill(values: Record<string, string>): Promise<void> {
  render(<SignUpForm destination="/dashboard" />);
  for (const [label, value] of Object.entries(values)) await person.type(screen.getByLabelText(label), value);
  await person.click(screen.getByRole("button", { name: "Create account" }));
}

const GOOD = { Name: "Ada ", Email: "ada@example.com", Password: "correct horse", "Confirm password": "correct horse" };

it("creates the account and goes on", async () => {
  fetchMock.mockImplementation(async () => Response.json({ status: true }));
  await fill(GOOD);
  const sent = fetchMock.mock.calls.map(([path, init]) => [path, JSON.parse(String(init?.body))]);
  const credentials = { email: "ada@example.com", password: "correct horse" };
  expect(sent).toEqual([
    ["/api/auth/sign-up/email", { name: "Ada", ...credentials }],
    ["/api/auth/sign-in/email", credentials],
  ]);
  expect(goTo).toHaveBeenCalledWith("/dashboard");
});

it("sends nothing while a field is wrong, and leads there", async () => {
  await fill({ ...GOOD, "Confirm password": "another horse" });
  expect(fetchMock).not.toHaveBeenCalled();
  expect(screen.getByText("The passwords differ.")).toBeDefined();
  expect(document.activeElement).toBe(screen.getByLabelText("Confirm password"));
});

it("tells whoever has an account already to sign in, and can be sent again", async () => {
  fetchMock.mockResolvedValueOnce(Response.json({ status: true }));
  fetchMock.mockResolvedValueOnce(Response.json({ message: "Invalid email or password" }, { status: 401 }));
  await fill(GOOD);
  expect((await screen.findByRole("alert")).textContent).toBe("Invalid email or password");
  expect(screen.getByRole("link", { name: "sign in" }).getAttribute("href")).toBe("/auth/signin");
  expect(goTo).not.toHaveBeenCalled();
  expect(screen.getByRole("button", { name: "Create account" })).toHaveProperty("disabled", false);
});

it("says when the server was not reached", async () => {
  fetchMock.mockRejectedValue(new TypeError("Failed to fetch"));
  await fill(GOOD);
  expect((await screen.findByRole("alert")).textContent).toMatch(/cannot be reached/);
});
