/** Who said what: a pure fold of the call's events into turns. */

export interface Citation {
  number: number;
  title: string;
  heading_path: string[];
  quote: string;
  passage: string;
  /** Where the quote lies, as the server counts; `quoteInPassage` checks it. */
  start: number;
  end: number;
  /** The file's name, or the web page's address. */
  source: string;
  /** From 1, where the document has pages. */
  page: number | null;
  /** The day from which the document holds, as YYYY-MM-DD, where it is known. */
  effective_date: string | null;
}

/** A stretch of Jarvis's speech, usually a sentence. */
export interface Segment {
  id: number;
  said: string;
  /** Words still to come; dropped when they never come. */
  unsaid: string;
}

export interface BotTurn {
  who: "bot";
  key: number;
  segments: Segment[];
  citations: Citation[];
  interrupted: boolean;
}

export interface UserTurn {
  who: "user";
  key: number;
  said: string;
  /** Words the recogniser may still change. */
  interim: string;
  typed: boolean;
}

export interface Notice {
  who: "notice";
  key: number;
  text: string;
}

export type Turn = BotTurn | UserTurn | Notice;

export interface Transcript {
  turns: Turn[];
  /** Key of the turn that Jarvis's next words belong to. */
  openBotKey: number | null;
  nextKey: number;
  /** Turns with a smaller key were said over a connection that was lost: nothing is added to them. */
  settledBelowKey: number;
}

export type SegmentStatus = "new" | "in-progress" | "completed";

export type TranscriptEvent =
  | { type: "user_words"; text: string; final: boolean }
  | { type: "user_typed"; text: string }
  | { type: "bot_answering" }
  | { type: "bot_words"; segment: Segment; status: SegmentStatus }
  | { type: "bot_interrupted"; whileSpeaking: boolean }
  | { type: "line_lost"; whileSpeaking: boolean }
  | { type: "citation"; citation: Citation }
  | { type: "notice"; text: string };

export const emptyTranscript: Transcript = { turns: [], openBotKey: null, nextKey: 1, settledBelowKey: 1 };

export function foldTranscript(transcript: Transcript, event: TranscriptEvent): Transcript {
  switch (event.type) {
    case "user_words":
      return withUserWords(transcript, event.text, event.final);
    case "user_typed":
      return append(transcript, (key) => ({ who: "user", key, said: event.text, interim: "", typed: true }));
    case "bot_answering":
      return closedIfAnswered(transcript);
    case "bot_words":
      return withBotWords(transcript, event.segment, event.status);
    case "bot_interrupted":
      return withInterruption(transcript, event.whileSpeaking);
    case "line_lost":
      return settled(withInterruption(transcript, event.whileSpeaking));
    case "citation":
      return withCitation(transcript, event.citation);
    case "notice":
      return append(transcript, (key) => ({ who: "notice", key, text: event.text }));
  }
}

/** The transcript with nothing left in the air: words that nobody finished are dropped. */
export function closeTranscript(transcript: Transcript): Transcript {
  const closed = transcript.turns.map((turn) => (turn.who === "bot" ? withoutUnsaid(turn) : turn));
  const turns = closed.filter((turn) => turn.who !== "bot" || turn.segments.length > 0);
  return { ...transcript, turns, openBotKey: null };
}

export function countTranscript({ turns }: Transcript): { questions: number; sources: number } {
  const sources = turns.flatMap((turn) => (turn.who === "bot" ? turn.citations.map((c) => c.source || c.title) : []));
  return { questions: turns.filter((turn) => turn.who === "user" && turn.said).length, sources: new Set(sources).size };
}

function withUserWords(transcript: Transcript, text: string, final: boolean): Transcript {
  const words = text.trim();
  if (!words) return transcript;
  const last = transcript.turns.findLast((turn) => turn.who !== "notice");
  const update = (turn: UserTurn): UserTurn =>
    final ? { ...turn, said: join(turn.said, words), interim: "" } : { ...turn, interim: words };
  const goesOn = last?.who === "user" && !last.typed && last.key >= transcript.settledBelowKey;
  if (goesOn) return replace(transcript, update(last));
  return append(transcript, (key) => update({ who: "user", key, said: "", interim: "", typed: false }));
}

function withBotWords(transcript: Transcript, segment: Segment, status: SegmentStatus): Transcript {
  const known = transcript.turns.find(
    (turn) =>
      turn.who === "bot" && turn.key >= transcript.settledBelowKey && turn.segments.some((s) => s.id === segment.id),
  );
  if (known?.who === "bot") {
    if (known.interrupted) return transcript;
    // A segment's first words may be reported before the segment itself; what was said stays said.
    const later = (s: Segment) => (s.id === segment.id && segment.said.length >= s.said.length ? segment : s);
    return replace(transcript, { ...known, segments: known.segments.map(later) });
  }
  // Progress on a segment never announced is of one that an interruption has already dropped.
  if (status === "in-progress") return transcript;
  const opened = withOpenBot(transcript);
  return replace(opened.transcript, { ...opened.turn, segments: [...opened.turn.segments, segment] });
}

function withCitation(transcript: Transcript, citation: Citation): Transcript {
  const { transcript: opened, turn } = withOpenBot(closedIfAnswered(transcript));
  const others = turn.citations.filter((c) => c.number !== citation.number);
  return replace(opened, { ...turn, citations: [...others, citation].sort((a, b) => a.number - b.number) });
}

function withInterruption(transcript: Transcript, whileSpeaking: boolean): Transcript {
  const open = openBot(transcript);
  if (!open) return transcript;
  const cutOff = whileSpeaking || open.segments.some((segment) => segment.unsaid !== "");
  const heard = { ...withoutUnsaid(open), interrupted: cutOff };
  const closed = { ...transcript, openBotKey: null };
  if (heard.segments.length > 0) return replace(closed, heard);
  return { ...closed, turns: closed.turns.filter((turn) => turn.key !== open.key) };
}

/** Ends Jarvis's open turn when the caller has spoken since, and drops words of the caller that were never settled. */
function closedIfAnswered(transcript: Transcript): Transcript {
  const last = transcript.turns.findLast((turn) => turn.who !== "notice");
  if (last?.who !== "user") return transcript;
  const open = openBot(transcript);
  const kept = withoutUnsettled(transcript.turns);
  const turns = kept.map((turn) => (turn.key === open?.key ? withoutUnsaid(open) : turn));
  return { ...transcript, turns, openBotKey: null };
}

/** Another bot may number its segments as the last one did, and has not heard what the caller was just saying. */
function settled(transcript: Transcript): Transcript {
  const kept = withoutUnsettled(transcript.turns);
  const turns = kept.map((turn) => (turn.who === "user" ? { ...turn, interim: "" } : turn));
  return { ...transcript, turns, openBotKey: null, settledBelowKey: transcript.nextKey };
}

/** Without the turns of the caller of which the recogniser settled nothing. */
function withoutUnsettled(turns: Turn[]): Turn[] {
  return turns.filter((turn) => turn.who !== "user" || turn.said !== "");
}

function withOpenBot(transcript: Transcript): { transcript: Transcript; turn: BotTurn } {
  const open = openBot(transcript);
  if (open) return { transcript, turn: open };
  const turn: BotTurn = { who: "bot", key: transcript.nextKey, segments: [], citations: [], interrupted: false };
  return { transcript: { ...append(transcript, () => turn), openBotKey: turn.key }, turn };
}

function openBot({ turns, openBotKey }: Transcript): BotTurn | null {
  const turn = turns.find(({ key }) => key === openBotKey);
  return turn?.who === "bot" ? turn : null;
}

function withoutUnsaid(turn: BotTurn): BotTurn {
  const segments = turn.segments.map((s) => ({ ...s, unsaid: "" })).filter((s) => s.said !== "");
  return { ...turn, segments };
}

function append(transcript: Transcript, make: (key: number) => Turn): Transcript {
  const { turns, nextKey } = transcript;
  return { ...transcript, turns: [...turns, make(nextKey)], nextKey: nextKey + 1 };
}

function replace(transcript: Transcript, turn: Turn): Transcript {
  return { ...transcript, turns: transcript.turns.map((other) => (other.key === turn.key ? turn : other)) };
}

function join(before: string, after: string): string {
  return before ? `${before} ${after}` : after;
}
