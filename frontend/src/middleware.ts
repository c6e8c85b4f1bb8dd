import { type NextRequest, NextResponse } from "next/server";

import { contentSecurityPolicy } from "@/server/content-security-policy";

/** Give each page a policy of its own: only scripts that carry this answer's nonce run. */
export function middleware(request: NextRequest): NextResponse {
  const nonce = btoa(crypto.randomUUID());
  const policy = contentSecurityPolicy(nonce, process.env.NODE_ENV === "development");
  const headers = new Headers(request.headers);
  // Next.js reads the nonce from here and puts it on the scripts it writes into the page.
  headers.set("Content-Security-Policy", policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("Content-Security-Policy", policy);
  return response;
}

export const config = {
  runtime: "nodejs",
  matcher: [{ source: "/((?!api/|_next/|icon).*)", missing: [{ type: "header", key: "next-router-prefetch" }] }],
};
