/** A request's body of at most `largest` bytes, counted as it comes; null where there is none. */
export async function readBody(request: Request, largest: number): Promise<ArrayBuffer | null | "too large"> {
  if (request.body === null) return null;
  if (Number(request.headers.get("content-length") ?? 0) > largest) return "too large";
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (const reader = request.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > largest) {
      await reader.cancel();
      return "too large";
    }
    parts.push(value);
  }
  return size === 0 ? null : new Blob(parts).arrayBuffer();
}

/** A JSON object of at most `largest` bytes; null where the body is anything else. */
export async function readObject(request: Request, largest: number): Promise<Record<string, unknown> | null | "too large"> {
  const body = await readBody(request, largest);
  if (body === "too large") return body;
  try {
    const content: unknown = JSON.parse(new TextDecoder().decode(body ?? new ArrayBuffer(0)));
    return typeof content === "object" && content !== null && !Array.isArray(content) ? (content as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
