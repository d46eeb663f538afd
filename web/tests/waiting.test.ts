import { expect, test } from "vitest";
import { CallRefused, problem, unreachable, type CreatedCall, type Place } from "../src/session";
import { waitForCall } from "../src/waiting";

const call: CreatedCall = { id: "a", token: "t", expires_at: "", call_link: "/call/t" };
const place = (position: number): Place => ({ ticket: "ticket", position, retryAfterSecs: 2 });
const away = new CallRefused(unreachable());
const full = new CallRefused(problem("All lines are busy", "", 503));

type Answer = CreatedCall | Place | CallRefused;

/** Waits with these answers of the server, until the caller gives up in a pause or during a request. */
async function wait({ answers, givesUp = "never" }: { answers: Answer[]; givesUp?: "never" | "pausing" | "last" }) {
  const left = [...answers];
  const caller = new AbortController();
  const seen = { tickets: [] as (string | null)[], places: [] as number[], pausesMs: [] as number[], released: 0 };
  const outcome = await waitForCall({
    request: async (ticket) => {
      seen.tickets.push(ticket);
      const answer = left.shift() as Answer;
      if (givesUp === "last" && left.length === 0) caller.abort();
      if (answer instanceof CallRefused) throw answer;
      return answer;
    },
    release: () => (seen.released += 1),
    pause: async (ms) => {
      seen.pausesMs.push(ms);
      if (givesUp === "pausing") caller.abort();
    },
    onPlace: (position) => seen.places.push(position),
    signal: caller.signal,
  }).catch((error: unknown) => error);
  return { outcome, left: left.length, ...seen };
}

test("a free line is taken at once", async () => {
  expect(await wait({ answers: [call] })).toMatchObject({ outcome: call, tickets: [null], places: [], pausesMs: [] });
});

test("a caller in line asks again with their ticket, as often as the server says, until there is a line", async () => {
  const waited = await wait({ answers: [place(2), place(1), call] });
  expect(waited).toMatchObject({ outcome: call, tickets: [null, "ticket", "ticket"], places: [2, 1] });
  expect(waited.pausesMs).toEqual([2_000, 2_000]);
});

test("a caller who gives up asks no more", async () => {
  const waited = await wait({ answers: [place(2), call], givesUp: "pausing" });
  expect(waited).toMatchObject({ outcome: null, left: 1, released: 0 });
});

test("a call that comes after the caller gave up is given back", async () => {
  expect(await wait({ answers: [place(1), call], givesUp: "last" })).toMatchObject({ outcome: null, released: 1 });
});

test("a server that is away for a moment does not cost the place", async () => {
  const waited = await wait({ answers: [place(2), away, away, call] });
  expect(waited).toMatchObject({ outcome: call, tickets: [null, "ticket", "ticket", "ticket"], places: [2] });
});

test("a server may be away for a moment again and again", async () => {
  const answers = [place(2), away, away, away, place(1), away, away, away, call];
  expect(await wait({ answers })).toMatchObject({ outcome: call, left: 0 });
});

test("a server that stays away is told of", async () => {
  expect(await wait({ answers: [place(2), away, away, away, away] })).toMatchObject({ outcome: away, left: 0 });
});

test.each([
  ["that is full", [full], full],
  ["that can't be reached at first", [away], away],
  ["that no longer knows the ticket", [place(2), full], full],
])("a house %s refuses the caller", async (_, answers, refusal) => {
  expect(await wait({ answers })).toMatchObject({ outcome: refusal, left: 0 });
});
