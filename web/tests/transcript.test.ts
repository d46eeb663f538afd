import { expect, test } from "vitest";
import { closeTranscript, countTranscript, emptyTranscript, foldTranscript } from "../src/transcript";
import type { Citation, SegmentStatus, Transcript, TranscriptEvent } from "../src/transcript";

const heard = (text: string): TranscriptEvent => ({ type: "user_words", text, final: true });
const hearing = (text: string): TranscriptEvent => ({ type: "user_words", text, final: false });
const interrupted: TranscriptEvent = { type: "bot_interrupted", whileSpeaking: true };
const lost: TranscriptEvent = { type: "line_lost", whileSpeaking: false };
const answering: TranscriptEvent = { type: "bot_answering" };

function says(id: number, said: string, unsaid = "", status?: SegmentStatus): TranscriptEvent {
  return { type: "bot_words", segment: { id, said, unsaid }, status: status ?? (said ? "in-progress" : "new") };
}

function cites(number: number, title = "Returns policy"): TranscriptEvent {
  const citation: Citation = {
    number,
    title,
    heading_path: [],
    page: null,
    effective_date: null,
    quote: "",
    passage: "",
    start: 0,
    end: 0,
    source: `${title}.md`,
  };
  return { type: "citation", citation };
}

function after(...events: TranscriptEvent[]): Transcript {
  return events.reduce(foldTranscript, emptyTranscript);
}

/** A transcript in short: "you: …", "jarvis: said|unsaid [numbers] !" with ! for interrupted. */
function short({ turns }: Transcript): string[] {
  return turns.map((turn) => {
    if (turn.who === "notice") return `notice: ${turn.text}`;
    if (turn.who === "user") return `you: ${turn.said}${turn.interim && `~${turn.interim}`}`;
    const words = turn.segments.map(({ said, unsaid }) => said + (unsaid && `|${unsaid}`)).join(" / ");
    const numbers = turn.citations.map(({ number }) => number).join(",");
    return `jarvis: ${words}${numbers && ` [${numbers}]`}${turn.interrupted ? " !" : ""}`;
  });
}

test("interim words are replaced until the recogniser settles on them", () => {
  expect(short(after(hearing("can I"), hearing("can I return")))).toEqual(["you: ~can I return"]);
  expect(short(after(hearing("can I"), heard("Can I return it?")))).toEqual(["you: Can I return it?"]);
});

test("several settled stretches of one turn are one turn", () => {
  expect(short(after(heard("Hello."), hearing("do you"), heard("Do you open today?")))).toEqual([
    "you: Hello. Do you open today?",
  ]);
});

test("empty words make no turn", () => {
  expect(short(after(heard(" ")))).toEqual([]);
});

test("what was typed stands apart from what was said", () => {
  expect(short(after({ type: "user_typed", text: "Opening hours?" }, heard("And Sunday?")))).toEqual([
    "you: Opening hours?",
    "you: And Sunday?",
  ]);
});

test("words of Jarvis move from unsaid to said as they are spoken", () => {
  const events = [says(1, "", "Thirty days."), says(1, "Thirty", "days.")];
  expect(short(after(...events))).toEqual(["jarvis: Thirty|days."]);
  expect(short(after(...events, says(1, "Thirty days.", "", "completed")))).toEqual(["jarvis: Thirty days."]);
});

test("words reported before their segment stay said", () => {
  const events = [says(1, "Yes.", "", "completed"), says(1, "", "Yes."), says(2, "Of", "course."), says(2, "", "Of course.")];
  expect(short(after(...events))).toEqual(["jarvis: Yes. / |Of course."]);
});

test("a barge-in keeps what was said and drops what was not", () => {
  const events = [says(1, "We open", "at nine."), says(2, "", "And close at six.")];
  const started = after(says(1, "", "We open at nine."), ...events);
  expect(short(foldTranscript(started, interrupted))).toEqual(["jarvis: We open !"]);
});

test("a barge-in before the first word leaves no turn and no sources", () => {
  expect(short(after(heard("Hi"), cites(1), says(1, "", "Hello."), interrupted))).toEqual(["you: Hi"]);
});

test("an interruption while Jarvis is silent and has said everything marks nothing", () => {
  const silent: TranscriptEvent = { type: "bot_interrupted", whileSpeaking: false };
  expect(short(after(says(1, "Hello.", "", "completed"), silent))).toEqual(["jarvis: Hello."]);
});

test("late progress on words that were cut off is ignored", () => {
  const events = [says(1, "", "One two."), says(1, "One", "two."), says(2, "", "Three."), interrupted];
  expect(short(after(...events, says(1, "One two.", "", "completed"), says(2, "Three.")))).toEqual(["jarvis: One !"]);
});

test("an answer after the caller's turn is a turn of its own", () => {
  const events = [says(1, "Hello.", "", "completed"), heard("Hi"), answering, says(2, "Yes.", "", "completed")];
  expect(short(after(...events))).toEqual(["jarvis: Hello.", "you: Hi", "jarvis: Yes."]);
});

test("a caller's murmur that does not interrupt leaves the running answer whole", () => {
  const events = [says(1, "", "We open at nine."), heard("mm-hm"), says(1, "We open at nine.", "", "completed")];
  expect(short(after(...events, says(2, "Bye.", "", "completed")))).toEqual([
    "jarvis: We open at nine. / Bye.",
    "you: mm-hm",
  ]);
});

test("words of the caller that were never settled go when Jarvis answers", () => {
  expect(short(after(hearing("uh"), answering, says(1, "Yes?", "", "completed")))).toEqual(["jarvis: Yes?"]);
});

test("sources known before the first word belong to the coming answer", () => {
  const events = [says(1, "Hello.", "", "completed"), heard("Returns?"), cites(2), cites(1), says(2, "", "Thirty days.")];
  expect(short(after(...events))).toEqual(["jarvis: Hello.", "you: Returns?", "jarvis: |Thirty days. [1,2]"]);
});

test("a source that comes while its answer is spoken joins it, once for each number", () => {
  expect(short(after(says(1, "", "A."), cites(1), cites(1)))).toEqual(["jarvis: |A. [1]"]);
});

test("a closed transcript holds nothing unsaid", () => {
  const closed = closeTranscript(after(says(1, "", "One two."), says(1, "One", "two."), says(2, "", "Three.")));
  expect(short(closed)).toEqual(["jarvis: One"]);
});

test("counts are of the caller's turns and of different documents", () => {
  const events = [heard("A?"), cites(1), cites(2), cites(3, "Hours"), says(1, "Yes.", "", "completed")];
  expect(countTranscript(after(...events))).toEqual({ questions: 1, sources: 2 });
});

test("a lost line cuts off what was being said, by either side", () => {
  const events = [heard("Hi"), hearing("and"), says(1, "", "We open at nine."), says(1, "We", "open at nine."), lost];
  expect(short(after(...events))).toEqual(["you: Hi", "jarvis: We !"]);
});

test("a bot that numbers its words as the lost one did says them in a turn of its own", () => {
  const events = [says(1, "Hello.", "", "completed"), lost, says(1, "", "Sorry."), says(1, "Sorry.", "", "completed")];
  expect(short(after(...events))).toEqual(["jarvis: Hello.", "jarvis: Sorry."]);
});

test("late progress on words of a lost bot is ignored", () => {
  expect(short(after(says(1, "", "One two."), says(1, "One", "two."), lost, says(1, "One two.")))).toEqual([
    "jarvis: One !",
  ]);
});

test("what the caller says over a new connection is a turn of its own", () => {
  expect(short(after(heard("Can I"), lost, heard("Can I return it?")))).toEqual(["you: Can I", "you: Can I return it?"]);
});
