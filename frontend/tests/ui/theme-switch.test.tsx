// @vitest-environment jsdom
import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";

import { themeFrom } from "@/ui/theme";
import { ThemeSwitch } from "@/ui/theme-switch";

import { person } from "../person";

it("goes round, and keeps the choice in a cookie that the server reads", async () => {
  render(<ThemeSwitch initial="system" />);
  const chosen: string[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    await person.click(screen.getByRole("button"));
    chosen.push(document.documentElement.dataset.theme ?? "");
    expect(document.cookie).toContain(`theme=${document.documentElement.dataset.theme}`);
  }
  expect(chosen).toEqual(["light", "dark", "system"]);
});

it("takes an unknown choice for the system's", () => {
  expect(themeFrom(undefined)).toBe("system");
  expect(themeFrom('"><script>')).toBe("system");
});
