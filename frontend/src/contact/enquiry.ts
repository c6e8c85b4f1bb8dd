import { EMAIL } from "@/account/validation";

export const LIMITS = { name: [2, 100], subject: [0, 200], message: [10, 1_000] } as const;

export type Enquiry = { name: string; email: string; subject: string; message: string };
export type EnquiryErrors = Partial<Record<keyof Enquiry, string>>;

/** What somebody wrote, trimmed, from a form or a body; what is not text is empty. */
export function enquiryFrom(given: Readonly<Record<string, unknown>>): Enquiry {
  const text = (name: keyof Enquiry) => (typeof given[name] === "string" ? given[name].trim() : "");
  return { name: text("name"), email: text("email"), subject: text("subject"), message: text("message") };
}

export function enquiryErrors(enquiry: Enquiry): EnquiryErrors {
  const errors: EnquiryErrors = {};
  for (const name of ["name", "subject", "message"] as const) {
    const [least, most] = LIMITS[name];
    const { length } = enquiry[name];
    if (length < least) errors[name] = `At least ${least} characters.`;
    else if (length > most) errors[name] = `At most ${most} characters.`;
  }
  if (!EMAIL.test(enquiry.email)) errors.email = "Please enter a valid e-mail address.";
  return errors;
}
