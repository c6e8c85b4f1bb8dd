/** The pages for everyone, as the header and the footer name them. */
export const SITE_PAGES = [
  { href: "/#features", label: "Features" },
  { href: "/#demo", label: "Demo" },
  { href: "/developers", label: "Developers" },
  { href: "/contact", label: "Contact" },
] as const;

export const LEGAL_PAGES = [
  { href: "/privacy", label: "Privacy" },
  { href: "/terms", label: "Terms" },
] as const;
