/** Reads `text/event-stream`, the form in which the server sends an answer piece by piece. */

export type ServerEvent = { event: string; data: string };

// A line may end with CR, LF or both. A CR at the very end waits: the LF that belongs to it may be on its way.
const LINE_END = /\r\n|\n|\r(?!$)/;
const LAST_LINE_END = /\r\n|\n|\r/;

/** Whether a response is such a stream. */
export function isEventStream(response: Response): boolean {
  return (response.headers.get("Content-Type") ?? "").toLowerCase().startsWith("text/event-stream");
}

/**
 * The events as they come. Comment lines only keep the connection alive.
 *
 * Throws what reading throws, and an Error after `silenceMs` without a single byte: a connection can be gone without
 * telling. Whoever stops reading early ends the request.
 */
export async function* serverEvents(body: ReadableStream<Uint8Array>, silenceMs: number): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let event = "message";
  let data: string[] = [];
  try {
    for (let ended = false; !ended; ) {
      const { done, value } = await heard(reader, silenceMs);
      ended = done;
      const lines = (rest + decoder.decode(value, { stream: !done })).split(done ? LAST_LINE_END : LINE_END);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (data.length > 0) yield { event, data: data.join("\n") };
          event = "message";
          data = [];
        } else if (line.startsWith("event:")) event = field(line);
        else if (line.startsWith("data:")) data.push(field(line));
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

function field(line: string): string {
  const value = line.slice(line.indexOf(":") + 1);
  return value.startsWith(" ") ? value.slice(1) : value;
}

async function heard(reader: ReadableStreamDefaultReader<Uint8Array>, silenceMs: number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the stream fell silent")), silenceMs);
  });
  try {
    return await Promise.race([reader.read(), silence]);
  } finally {
    clearTimeout(timer);
  }
}
