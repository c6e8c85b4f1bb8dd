export const SHORTEST_PASSWORD = 8;
export const LONGEST_PASSWORD = 128;
export const LONGEST_NAME = 255;
export const LONGEST_EMAIL = 255;

/** What no name or address has: control characters, breaks of lines, marks that turn the direction of writing, halves of characters. */
export const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

export type Field = "name" | "email" | "password" | "confirmation";
export type FieldErrors = Partial<Record<Field, string>>;

export const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

export type SignUp = Record<Field, string>;

export function signUpErrors({ name, email, password, confirmation }: SignUp): FieldErrors {
  const errors: FieldErrors = {};
  if (name.trim() === "") errors.name = "Please tell us your name.";
  else if (name.trim().length > LONGEST_NAME) errors.name = `At most ${LONGEST_NAME} characters.`;
  else if (UNPRINTABLE.test(name.trim())) errors.name = "Please use letters, digits and signs only.";
  return { ...errors, ...emailErrors(email), ...passwordErrors({ password, confirmation }) };
}

export function emailErrors(email: string): FieldErrors {
  return EMAIL.test(email.trim()) && email.trim().length <= LONGEST_EMAIL ? {} : { email: "Please enter a valid e-mail address." };
}

export function passwordErrors({ password, confirmation }: Pick<SignUp, "password" | "confirmation">): FieldErrors {
  const errors: FieldErrors = {};
  if (password.length < SHORTEST_PASSWORD) errors.password = `At least ${SHORTEST_PASSWORD} characters.`;
  else if (password.length > LONGEST_PASSWORD) errors.password = `At most ${LONGEST_PASSWORD} characters.`;
  if (confirmation !== password) errors.confirmation = "The passwords differ.";
  return errors;
}

export function signInErrors({ email, password }: { email: string; password: string }): FieldErrors {
  const errors = emailErrors(email);
  if (password === "") errors.password = "Please enter your password.";
  return errors;
}
