import { expect, test } from "vitest";
import { inDoubt, isSteady, newLine, nextStep, reduceLine, type Line, type LineEvent, type Step } from "../src/line";

type Timed = [atMs: number, event: LineEvent];

const asked: LineEvent = { type: "asked" };
const dialled: LineEvent = { type: "dialled" };
const told = (state: "connected" | "reconnecting"): LineEvent => ({ type: "told", standing: { state } });
const unanswered: LineEvent = { type: "told", standing: null };
const refused = (status: number): LineEvent => ({ type: "refused", status });
const packets = (count: number, broken = false): LineEvent => ({ type: "polled", packets: count, broken });

/** A line that came up at 0 and heard its last packet at 1,000. */
function after(...events: Timed[]): Line {
  return ([[1_000, packets(50)], ...events] as Timed[]).reduce(
    (line, [atMs, event]) => reduceLine(line, event, atMs),
    newLine(0),
  );
}

const nothing: Step = { do: "nothing" };
const ask: Step = { do: "ask" };
const dial: Step = { do: "dial" };
const lost: Step = { do: "end", reason: "lost" };

test.each<[string, Timed[], number, Step]>([
  ["is left alone while packets are only late", [], 1_399, nothing],
  ["is asked about when packets stay away", [], 1_400, ask],
  ["is asked about at once when its connection says that it is lost", [[1_100, packets(51, true)]], 1_100, ask],
  ["is asked about once at a time", [[1_400, asked]], 2_300, nothing],
  ["is not asked about again at once", [[1_400, asked], [1_420, told("connected")]], 1_669, nothing],
  ["is asked about again a little later", [[1_400, asked], [1_420, told("connected")]], 1_670, ask],
  ["is dialled where packets stay away for long", [[3_400, asked], [3_420, told("connected")]], 3_500, dial],
  ["is dialled at once where the server waits for it", [[1_400, asked], [1_420, told("reconnecting")]], 1_420, dial],
  ["is asked about as long as the server can't be reached", [[9_000, asked], [9_900, unanswered]], 10_150, ask],
  ["is dialled once", [[1_420, dialled]], 5_000, nothing],
  ["is dialled again when nothing comes of it", [[1_420, dialled]], 11_420, dial],
  ["is asked about again soon after a refusal", [[1_420, dialled], [1_500, refused(503)]], 1_999, nothing],
  ["is asked about again after a refusal", [[1_420, dialled], [1_500, refused(503)]], 2_000, ask],
  ["is asked about again after an offer without an answer", [[1_420, dialled], [1_500, refused(0)]], 2_000, ask],
  ["is asked why it ended when the offer came too late", [[1_420, dialled], [1_500, refused(410)]], 1_500, ask],
  ["is over when the call is somebody else's", [[1_420, dialled], [1_500, refused(409)]], 1_500, lost],
  ["is lost when nothing has helped for long", [[30_000, asked], [30_500, unanswered]], 31_000, lost],
  ["is lost in the middle of an attempt too", [[29_000, dialled]], 31_000, lost],
])("a line %s", (_, events, nowMs, step) => {
  expect(nextStep(after(...events), nowMs)).toEqual(step);
});

test("a call that the server has ended ends with the server's reason", () => {
  const line = after([1_400, asked], [1_420, { type: "told", standing: { state: "ended", reason: "bot_died" } }]);
  expect(nextStep(line, 1_420)).toEqual({ do: "end", reason: "bot_died" });
});

test("packets that come back make all well, whatever the server said", () => {
  const line = after([2_000, asked], [2_100, told("connected")], [3_000, packets(51)]);
  expect([nextStep(line, 3_399), isSteady(line, 3_399)]).toEqual([nothing, true]);
});

test("an answer that packets have overtaken says nothing of the next loss", () => {
  const line = after([1_400, asked], [1_450, packets(51)], [1_460, told("reconnecting")]);
  expect(nextStep(line, 1_900)).toEqual(ask);
});

test("an answer from an earlier loss says nothing of the next one", () => {
  const line = after([1_400, asked], [1_420, told("connected")], [1_500, packets(51)]);
  expect(nextStep(line, 4_500)).toEqual(ask);
});

test("an answer that a new connection has overtaken says nothing of the next loss", () => {
  const line = after([1_400, asked], [1_420, dialled], [1_430, told("reconnecting")], [2_000, { type: "connected" }]);
  expect(nextStep(line, 2_400)).not.toEqual(dial);
});

test("a new connection starts with a line that is well", () => {
  const line = after([1_400, dialled], [2_000, { type: "connected" }], [2_100, packets(1)]);
  expect([nextStep(line, 2_400), isSteady(line, 2_400), inDoubt(line, 2_400)]).toEqual([nothing, true, false]);
});

test("what the former connection still received is no sign of life while a new one is made", () => {
  const line = after([1_400, dialled], [1_500, packets(60)]);
  expect([isSteady(line, 1_500), nextStep(line, 31_000)]).toEqual([false, lost]);
});

test("a short loss is not shown, though nothing is sent into it", () => {
  const line = after([1_300, packets(50)]);
  expect([isSteady(line, 1_999), isSteady(line, 2_000)]).toEqual([true, false]);
  expect([inDoubt(line, 1_399), inDoubt(line, 1_400)]).toEqual([false, true]);
});

test("a page that slept asks before it gives its call up", () => {
  const line = after([1_100, packets(50)], [301_000, packets(50)]);
  expect(nextStep(line, 301_000)).toEqual(ask);
});

test("a page that wakes every so often still finds its line lost", () => {
  const naps = Array.from({ length: 3 }, (_, n): Timed => [61_000 + n * 60_000, packets(50)]);
  const line = after(...naps);
  expect(nextStep(line, 181_000)).toEqual(ask);
});
