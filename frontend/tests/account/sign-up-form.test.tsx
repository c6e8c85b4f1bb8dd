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
  fetchMock.mockResolvedValue(Response.json({ token: "t" }));
  await fill(GOOD);
  const [path, init] = fetchMock.mock.calls[0] ?? [];
  expect(path).toBe("/api/auth/sign-up/email");
  expect(JSON.parse(String(init?.body))).toEqual({ name: "Ada", email: "ada@example.com", password: "correct horse" });
  expect(goTo).toHaveBeenCalledWith("/dashboard");
});

it("sends nothing while a field is wrong, and leads there", async () => {
  await fill({ ...GOOD, "Confirm password": "another horse" });
  expect(fetchMock).not.toHaveBeenCalled();
  expect(screen.getByText("The passwords differ.")).toBeDefined();
  expect(document.activeElement).toBe(screen.getByLabelText("Confirm password"));
});

it("tells the server's reason and can be sent again", async () => {
  fetchMock.mockResolvedValue(Response.json({ message: "User already exists." }, { status: 422 }));
  await fill(GOOD);
  expect((await screen.findByRole("alert")).textContent).toBe("User already exists.");
  expect(goTo).not.toHaveBeenCalled();
  expect(screen.getByRole("button", { name: "Create account" })).toHaveProperty("disabled", false);
});

it("says when the server was not reached", async () => {
  fetchMock.mockRejectedValue(new TypeError("Failed to fetch"));
  await fill(GOOD);
  expect((await screen.findByRole("alert")).textContent).toMatch(/cannot be reached/);
});
