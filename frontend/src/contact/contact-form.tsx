"use client";

import { type FormEvent, useState } from "react";

import { Failure } from "@/account/form-parts";
import { TextField } from "@/account/text-field";
import { ApiError, ask } from "@/client/request";
import { useHydrated } from "@/ui/use-hydrated";

import { enquiryErrors, type EnquiryErrors, enquiryFrom, LIMITS } from "./enquiry";

export function ContactForm() {
  const hydrated = useHydrated();
  const [errors, setErrors] = useState<EnquiryErrors>({});
  const [failure, setFailure] = useState<string | null>(null);
  const [state, setState] = useState<"writing" | "sending" | "sent">("writing");

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget;
    const enquiry = enquiryFrom(Object.fromEntries(new FormData(form)));
    const found = enquiryErrors(enquiry);
    setErrors(found);
    setFailure(null);
    const [first] = Object.keys(found);
    if (first !== undefined) {
      form.querySelector<HTMLElement>(`[name="${first}"]`)?.focus();
      return;
    }
    setState("sending");
    try {
      await ask("/api/contact", { method: "POST", body: enquiry });
      setState("sent");
    } catch (problem) {
      setFailure(problem instanceof ApiError ? problem.message : "Something went wrong. Please try again.");
      setState("writing");
    }
  }

  if (state === "sent") {
    return (
      <p role="status" className="card mt-8 px-5 py-4">
        Thank you. Your message is on its way; the answer will come by e-mail.
      </p>
    );
  }
  return (
    <form method="post" onSubmit={(event) => void submit(event)} noValidate className="mt-8 max-w-lg space-y-4">
      <TextField label="Name" name="name" autoComplete="name" required error={errors.name} />
      <TextField label="Email" name="email" type="email" autoComplete="email" required error={errors.email} />
      <TextField label="Subject" name="subject" error={errors.subject} maxLength={LIMITS.subject[1]} placeholder="Optional" />
      <TextField label="Your message" name="message" rows={6} required error={errors.message} maxLength={LIMITS.message[1]} />
      <Failure text={failure} />
      <button type="submit" className="button-primary" disabled={!hydrated || state === "sending"}>
        {state === "sending" ? "Sending…" : "Send the message"}
      </button>
    </form>
  );
}
