import { expect, test } from "vitest";
import { adviceFor, problem, problemFromResponse, readPageData } from "../src/session";

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
