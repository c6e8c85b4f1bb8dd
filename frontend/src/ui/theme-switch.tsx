"use client";

import { useState } from "react";

import { Icon } from "./icon";
import { nextTheme, THEME_COOKIE, type Theme } from "./theme";

const YEAR_S = 365 * 24 * 3_600;
const ICONS = { system: "monitor", light: "sun", dark: "moon" } as const;

/** Goes round system, light and dark, and remembers the choice for a year. */
export function ThemeSwitch({ initial }: { initial: Theme }) {
  const [theme, setTheme] = useState(initial);

  function change(): void {
    const chosen = nextTheme(theme);
    document.documentElement.dataset.theme = chosen;
    document.cookie = `${THEME_COOKIE}=${chosen}; path=/; max-age=${YEAR_S}; samesite=lax`;
    setTheme(chosen);
  }

  return (
    <button type="button" className="icon-button" onClick={change} aria-label={`Theme: ${theme}`} title={`Theme: ${theme}`}>
      <Icon name={ICONS[theme]} />
    </button>
  );
}
