import { auth } from "@/server/auth";
import { log, reason } from "@/server/log";
import { fromOwnPages } from "@/server/origin";

export const dynamic = "force-dynamic";

/** End the session in the database, take the cookie back, and send the visitor home. */
export async function POST(request: Request): Promise<Response> {
  if (!fromOwnPages(request)) return Response.json({ detail: "This request came from another site" }, { status: 403 });
  try {
    const { headers } = await auth().api.signOut({ headers: request.headers, returnHeaders: true });
    const answer = new Headers({ Location: "/", "Cache-Control": "no-store" });
    for (const cookie of headers.getSetCookie()) answer.append("Set-Cookie", cookie);
    return new Response(null, { status: 303, headers: answer });
  } catch (problem) {
    log("error", "auth_unavailable", { reason: reason(problem) });
    return new Response("Signing out is not possible right now. Please try again.", { status: 503 });
  }
}
