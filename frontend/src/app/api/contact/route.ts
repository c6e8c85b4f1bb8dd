import { enquiryErrors, enquiryFrom } from "@/contact/enquiry";
import { log, reason } from "@/server/log";
import { contactAddress, sendMail } from "@/server/mail";
import { fromOwnPages } from "@/server/origin";
import { RateLimit } from "@/server/rate-limit";

export const dynamic = "force-dynamic";

const LARGEST_BODY = 16 * 1024;
const limit = new RateLimit(5, 10 * 60_000);

/** Pass a visitor's message on by mail. 400 invalid, 403 foreign page, 429 too many, 500 mail failed, 503 not set up. */
export async function POST(request: Request): Promise<Response> {
  if (!fromOwnPages(request)) return refusal(403, "This request came from another site");
  const to = contactAddress();
  if (to === null) return refusal(503, "Mail is not set up on this installation.");
  const wait = limit.count(request.headers.get("x-forwarded-for") ?? "unknown");
  if (wait > 0) return refusal(429, "Too many messages. Please wait a few minutes.", { "Retry-After": String(wait) });
  const given = await body(request);
  if (given === null) return refusal(400, "The message could not be read.");
  const enquiry = enquiryFrom(given);
  const [problem] = Object.entries(enquiryErrors(enquiry));
  if (problem) return refusal(400, `${problem[0]}: ${problem[1]}`);
  const { name, email, subject, message } = enquiry;
  try {
    const title = subject === "" ? "A message from the contact form" : subject;
    await sendMail({ to, subject: title, text: `${message}\n\n${name} <${email}>`, replyTo: email });
    return Response.json({ message: "Sent" });
  } catch (failure) {
    log("error", "mail_failed", { reason: reason(failure) });
    return refusal(500, "The message could not be sent. Please try again later.");
  }
}

async function body(request: Request): Promise<Record<string, unknown> | null> {
  const text = await request.text();
  if (text.length > LARGEST_BODY) return null;
  try {
    const content: unknown = JSON.parse(text);
    return typeof content === "object" && content !== null ? (content as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function refusal(status: number, detail: string, headers: Record<string, string> = {}): Response {
  return Response.json({ detail }, { status, headers: { "Cache-Control": "no-store", ...headers } });
}
