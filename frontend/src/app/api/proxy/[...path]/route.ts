import { forward } from "@/server/proxy";

export const dynamic = "force-dynamic";

export { forward as DELETE, forward as GET, forward as OPTIONS, forward as PATCH, forward as POST, forward as PUT };
