import type { Metadata } from "next";
import Link from "next/link";

import { ForgotPasswordForm } from "@/account/forgot-password-form";
import { AccountPage } from "@/account/form-parts";
import { canSendMail, MAIL_SETTINGS } from "@/server/mail";

export const metadata: Metadata = { title: "Forgotten password" };

export default function ForgotPasswordPage() {
  const back = (
    <Link className="link" href="/auth/signin">
      Back to signing in
    </Link>
  );
  if (canSendMail()) {
    return (
      <AccountPage title="Forgotten password" hint={back}>
        <ForgotPasswordForm />
      </AccountPage>
    );
  }
  return (
    <AccountPage title="Forgotten password" hint={back}>
      <p>A new password is set by a link that comes by e-mail, and mail is not set up on this installation.</p>
      <p className="mt-3 text-muted">
        Please ask its operator, who turns this on by setting {MAIL_SETTINGS} in the frontend’s environment.
      </p>
    </AccountPage>
  );
}
