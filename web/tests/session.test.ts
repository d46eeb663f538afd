import { expect, test } from "vitest";
import {
  adviceFor,
  callFromResponse,
  CallRefused,
  problem,
  problemFromResponse,
  readPageData,
  standingFromResponse,
} from "../src/session";

function answer(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers });
}

test("the page of a lobby has a name and nothing else", () => {
  expect(readPageData('{"name":"Larkspur Cycles"}')).toEqual({ name: "Larkspur Cycles", session: null, problem: null });
});

test("the server's words on a refused call are kept", async () => {
  const refused = answer(503, '{"title":"All lines are busy","detail":"Six calls."}', { "Retry-After": "20" });
  const read = await problemFromResponse(refused);
  expect(read).toEqual({ title: "All lines are busy", detail: "Six calls.", status: 503, retryAfterSecs: 20 });
  expect(adviceFor(read)).toBe("Please try again in 20 seconds.");
});

test("a refusal without words of its own is explained by its status", async () => {
  const read = await problemFromResponse(answer(401, "<html>"));
  expect(read.title).toBe("This call link no longer works");
});

test("a call answered elsewhere sends the caller there", () => {
  expect(adviceFor(problem("", "", 409))).toContain("the tab or on the device that answered");
});

test("who needs an invitation is told whom to ask for one", () => {
  expect(adviceFor(problem("", "", 401))).toContain("ask the people who run this page");
});

test("a place in line is told from a call", async () => {
  const body = '{"ticket":"t","position":3,"retry_after_secs":2}';
  expect(await callFromResponse(answer(202, body))).toEqual({ ticket: "t", position: 3, retryAfterSecs: 2 });
  expect(await callFromResponse(answer(201, '{"call_link":"/call/x"}'))).toEqual({ call_link: "/call/x" });
});

test("a full house refuses", async () => {
  await expect(callFromResponse(answer(503, "{}"))).rejects.toBeInstanceOf(CallRefused);
});

test.each([
  ["goes on", 200, '{"state":"connected","end_reason":null}', { state: "connected" }],
  ["waits for its caller", 200, '{"state":"reconnecting","end_reason":null}', { state: "reconnecting" }],
  ["has ended", 200, '{"state":"ended","end_reason":"idle"}', { state: "ended", reason: "idle" }],
  ["is not known", 404, "{}", { state: "ended", reason: "lost" }],
  ["can't be told of just now", 503, "{}", null],
])("a call that %s", async (_, status, body, standing) => {
  expect(await standingFromResponse(answer(status, body))).toEqual(standing);
});
