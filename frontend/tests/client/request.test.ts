import { beforeEach, expect, it, vi } from "vitest";

import { type ApiError, ask } from "@/client/request";

const fetchMock = vi.fn<typeof fetch>();

beforeEach(() => {
  fetchMock.mockReset();
  vi.stubGlobal("fetch", fetchMock);
});

async function failure(response: Response): Promise<ApiError> {
  fetchMock.mockResolvedValue(response);
  return ask("/api/proxy/u1/tasks").then(
    () => expect.unreachable("it was accepted"),
    (problem: unknown) => problem as ApiError,
  );
}

it("gives the body and the request's id", async () => {
  fetchMock.mockResolvedValue(Response.json({ total: 1 }, { headers: { "X-Request-ID": "id-1" } }));
  expect(await ask("/x")).toEqual({ body: { total: 1 }, requestId: "id-1" });
});

it("tells where the person is", async () => {
  fetchMock.mockResolvedValue(Response.json({}));
  await ask("/x");
  const sent = new Headers(fetchMock.mock.calls[0]?.[1]?.headers);
  expect(sent.get("X-Time-Zone")).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
});

it("gives null where there is no body", async () => {
  fetchMock.mockResolvedValue(new Response(null, { status: 204 }));
  expect((await ask("/x", { method: "DELETE" })).body).toBeNull();
});

it("tells the server's words, with the status and how long to wait", async () => {
  const problem = await failure(Response.json({ detail: "High demand" }, { status: 429, headers: { "Retry-After": "30" } }));
  expect([problem.status, problem.message, problem.retryAfter]).toEqual([429, "High demand", 30]);
});

it("tells the first of a list of validation errors", async () => {
  expect((await failure(Response.json({ detail: [{ msg: "Too long" }] }, { status: 422 }))).message).toBe("Too long");
});

it("has words of its own for a page that is no JSON", async () => {
  expect((await failure(new Response("<html>", { status: 502 }))).message).toMatch(/cannot be reached/);
  expect((await failure(new Response("", { status: 418 }))).message).toMatch(/went wrong/);
});

it("has status 0 for a server that was not reached", async () => {
  fetchMock.mockRejectedValue(new TypeError("Failed to fetch"));
  await expect(ask("/x")).rejects.toMatchObject({ name: "ApiError", status: 0 });
});

it("sends no change while there is no network, and reads as long as it can", async () => {
  vi.stubGlobal("navigator", { onLine: false });
  fetchMock.mockResolvedValue(Response.json({}));
  await expect(ask("/x", { method: "POST", body: {} })).rejects.toMatchObject({ status: 0, message: /You.re offline/ });
  await expect(ask("/x")).resolves.toBeDefined();
  expect(fetchMock).toHaveBeenCalledTimes(1);
});

it("passes an abort on as it is", async () => {
  const abort = new AbortController();
  abort.abort();
  fetchMock.mockRejectedValue(abort.signal.reason);
  await expect(ask("/x", { signal: abort.signal })).rejects.toMatchObject({ name: "AbortError" });
});
