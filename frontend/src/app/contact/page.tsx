import type { Metadata } from "next";

import { ContactForm } from "@/contact/contact-form";
import { contactAddress, MAIL_SETTINGS } from "@/server/mail";
import { Prose, SiteFrame } from "@/site/site-frame";

export const metadata: Metadata = { title: "Contact" };

export default function ContactPage() {
  return (
    <SiteFrame>
      <Prose title="Contact" lead="A question, a fault, or a wish? Write to whoever runs this installation.">
        {contactAddress() === null ? (
          <div className="card mt-8 px-5 py-4">
            <p className="font-medium">Nothing can be sent from here yet.</p>
            <p className="mt-1 text-muted">
              Mail is not set up on this installation. Its operator turns this form on by setting {MAIL_SETTINGS}, and CONTACT_EMAIL_TO,
              in the frontend’s environment.
            </p>
          </div>
        ) : (
          <ContactForm />
        )}
      </Prose>
    </SiteFrame>
  );
}
