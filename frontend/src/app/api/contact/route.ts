import { enquiryErrors, enquiryFrom } from "@/contact/enquiry";
import { readObject } from "@/server/body";
import { clientAddress, network } from "@/server/client-address";
import { count } from "@/server/limits";
import { log, reason } from "@/server/log";
import { contactAddress, sendMail } from "@/server/mail";
import { fromOwnPages } from "@/server/origin";
import { REQUEST_ID_HEADER, requestId } from "@/server/request-id";
import { logRefusal } from "@/server/security-log";

export const dynamic = "force-dynamic";

const LARGEST_BODY_BYTES = 16 * 1024;
const HOUR_S = 3_600;

/**
 * Pass a visitor's message on by mail. 400 invalid, 403 foreign page, 413 too large, 429 too many, 500 mail failed,
 * 503 not set up, or the database that counts does not answer.
 */
export async function POST(request: Request): Promise<Response> {
  const id = requestId(request.headers.get(REQUEST_ID_HEADER));
  const response = await answer(request);
  response.headers.set(REQUEST_ID_HEADER, id);
  logRefusal(response.status, id, "contact");
  return response;
}

async function answer(request: Request): Promise<Response> {
  if (!fromOwnPages(request)) return refusal(403, "This request came from another site");
  const to = contactAddress();
  if (to === null) return refusal(503, "Mail is not set up on this installation.");
  const given = await readObject(request, LARGEST_BODY_BYTES);
  if (given === "too large") return refusal(413, "The message is too large.");
  if (given === null) return refusal(400, "The message could not be read.");
  const enquiry = enquiryFrom(given);
  const [problem] = Object.entries(enquiryErrors(enquiry));
  if (problem) return refusal(400, `${problem[0]}: ${problem[1]}`);
  const { name, email, subject, message } = enquiry;
  try {
    const wait = await count(
      { name: "contact", most: 5, seconds: HOUR_S / 6, key: network(clientAddress(request.headers)) },
      { name: "contact-all", most: 200, seconds: HOUR_S, key: "" },
    );
    if (wait > 0) return refusal(429, "Too many messages. Please wait a few minutes.", { "Retry-After": String(wait) });
  } catch (failure) {
    log("error", "contact_unavailable", { reason: reason(failure) });
    return refusal(503, "The message cannot be taken right now. Please try again later.");
  }
  try {
    const title = subject === "" ? "A message from the contact form" : subject;
    await sendMail({ to, subject: title, text: `${message}\n\n${name} <${email}>`, replyTo: email });
    return Response.json({ message: "Sent" });
  } catch (failure) {
    log("error", "mail_failed", { reason: reason(failure) });
    return refusal(500, "The message could not be sent. Please try again later.");
  }
}

function refusal(status: number, detail: string, headers: Record<string, string> = {}): Response {
  return Response.json({ detail }, { status, headers: { "Cache-Control": "no-store", ...headers } });
}
