import { auth } from "@/server/auth";
import { log, reason } from "@/server/log";

export const dynamic = "force-dynamic";

/** Hand the request to Better Auth; a failure becomes a plain 503, never its text. */
async function handle(request: Request): Promise<Response> {
  try {
    return await auth().handler(request);
  } catch (problem) {
    log("error", "auth_unavailable", { reason: reason(problem) });
    return Response.json({ message: "Signing in is not possible right now" }, { status: 503 });
  }
}

export { handle as GET, handle as POST };
