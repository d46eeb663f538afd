import { expect, test } from "vitest";
import { newCall, reduceCall, statusOf, type CallEvent, type CallState } from "../src/state";

const connected: CallEvent[] = [
  { type: "microphone_asked" },
  { type: "connecting", withMicrophone: true },
  { type: "connected", atMs: 1_000 },
];

function after(...events: CallEvent[]): CallState {
  return events.reduce(reduceCall, newCall);
}

test("a call goes from ready over asking and connecting to listening", () => {
  const statuses = [newCall, ...connected.map((_, index) => after(...connected.slice(0, index + 1)))].map(statusOf);
  expect(statuses).toEqual(["ready", "asking", "connecting", "listening"]);
});

test("a line that was not yet up does not make a new call look broken", () => {
  const [asked, connecting, answered] = connected as [CallEvent, CallEvent, CallEvent];
  expect(statusOf(after(asked, connecting, { type: "line", steady: false }, answered))).toBe("listening");
});

test("a refused microphone leads back to the start with its reason", () => {
  const state = after({ type: "microphone_asked" }, { type: "microphone_failed", problem: "denied" });
  expect([state.phase, state.microphoneProblem]).toEqual(["ready", "denied"]);
});

test("a lost microphone leaves the call running", () => {
  const state = after(...connected, { type: "microphone_lost" });
  expect([state.phase, state.microphone, state.microphoneProblem]).toEqual(["live", "off", "lost"]);
});

test.each<[string, CallEvent[]]>([
  ["you-speaking", [{ type: "user_speaking", speaking: true }]],
  ["listening", [{ type: "user_speaking", speaking: true }, { type: "user_speaking", speaking: false }]],
  ["thinking", [{ type: "bot_answering" }]],
  ["speaking", [{ type: "bot_answering" }, { type: "bot_speaking", speaking: true }]],
  ["you-speaking", [{ type: "bot_answering" }, { type: "user_speaking", speaking: true }]],
  ["listening", [{ type: "bot_answering" }, { type: "interrupted" }]],
  ["muted", [{ type: "muted", muted: true }]],
  ["reconnecting", [{ type: "bot_speaking", speaking: true }, { type: "line", steady: false }]],
])("status %s", (status, events) => {
  expect(statusOf(after(...connected, ...events))).toBe(status);
});

test("an interruption while Jarvis speaks is shown on the turn it cut off", () => {
  const state = after(
    ...connected,
    { type: "bot_speaking", speaking: true },
    { type: "bot_words", status: "new", segment: { id: 1, said: "", unsaid: "We open at nine." } },
    { type: "bot_words", status: "in-progress", segment: { id: 1, said: "We", unsaid: "open at nine." } },
    { type: "interrupted" },
  );
  expect(state.transcript.turns).toMatchObject([{ who: "bot", interrupted: true, segments: [{ said: "We", unsaid: "" }] }]);
});

test("an ended call keeps its transcript and its times", () => {
  const state = after(
    ...connected,
    { type: "user_words", text: "Bye", final: true },
    { type: "ended", ending: { reason: "idle", text: "" }, atMs: 61_000 },
  );
  expect(state).toMatchObject({ phase: "ended", startedAtMs: 1_000, endedAtMs: 61_000 });
  expect(state.transcript.turns).toHaveLength(1);
});

test("nothing changes a call that is over", () => {
  const over = after(...connected, { type: "ended", ending: { reason: "hang_up", text: "" }, atMs: 2_000 });
  expect(reduceCall(over, { type: "bot_speaking", speaking: true })).toBe(over);
});

test("a call that goes on over a new connection keeps its time, its transcript and its mute", () => {
  const state = after(
    ...connected,
    { type: "muted", muted: true },
    { type: "user_words", text: "Hello", final: true },
    { type: "reconnecting" },
    { type: "connected", atMs: 9_000 },
  );
  expect([state.startedAtMs, state.transcript.turns.length, statusOf(state)]).toEqual([1_000, 1, "muted"]);
});

test("a new connection knows nothing of what went on over the old one", () => {
  const speaking = after(...connected, { type: "bot_speaking", speaking: true }, { type: "reconnecting" });
  expect(statusOf(speaking)).toBe("reconnecting");
  expect(statusOf(reduceCall(speaking, { type: "connected", atMs: 9_000 }))).toBe("listening");
});
