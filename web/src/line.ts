/**
 * Whether a call's line is up, and what to do where it is not.
 *
 * Pure: the times are milliseconds of one clock, and given. Jarvis sends a packet every 20 ms, in silence too, so a
 * line without packets is a line in doubt, and the server is asked what it knows of it.
 */

import type { EndReason } from "./state";

export const POLL_MS = 100;
/** Without packets for so long, the server is asked. */
const DOUBTED_MS = 400;
/** Without packets for so long, the caller is told. */
const SHOWN_MS = 1_000;
const ASK_AGAIN_MS = 250;
/** Without packets for so long, a call of which the server knows no harm is connected anew. */
const GIVEN_UP_MS = 2_500;
const ATTEMPT_MS = 10_000;
const AFTER_REFUSAL_MS = 500;
const LOST_MS = 30_000;
/** A page that did not get to look for so long was asleep; packets may have come and gone. */
const ASLEEP_MS = 2_000;

/** How the server says that the call stands. */
export type Standing = { state: "connected" | "reconnecting" } | { state: "ended"; reason: EndReason };

export interface Line {
  /** When the line was last looked at. */
  polledAtMs: number;
  /** Packets received by the connection in use. */
  packets: number;
  /** When packets last came in, or the connection came up. */
  heardAtMs: number;
  /** The connection has itself reported its end. */
  broken: boolean;
  /** When the new connection under way was begun; null where none is. */
  dialledAtMs: number | null;
  asking: boolean;
  /** What the server last said; null where it has not been asked since the packets stopped, or gave no answer. */
  standing: Standing | null;
  /** The server is not asked before. */
  askAtMs: number;
}

export type LineEvent =
  | { type: "polled"; packets: number; broken: boolean }
  | { type: "asked" }
  | { type: "told"; standing: Standing | null }
  | { type: "dialled" }
  /** No connection came of the new offer; `status` is the HTTP status that refused it, 0 for anything else. */
  | { type: "refused"; status: number }
  | { type: "connected" };

export type Step = { do: "nothing" } | { do: "ask" } | { do: "dial" } | { do: "end"; reason: EndReason };

const nothing: Step = { do: "nothing" };
const ask: Step = { do: "ask" };
const dial: Step = { do: "dial" };
const lost: Standing = { state: "ended", reason: "lost" };

/** The line of a connection that has just come up. */
export function newLine(atMs: number): Line {
  return {
    polledAtMs: atMs,
    packets: 0,
    heardAtMs: atMs,
    broken: false,
    dialledAtMs: null,
    asking: false,
    standing: null,
    askAtMs: atMs,
  };
}

export function reduceLine(line: Line, event: LineEvent, atMs: number): Line {
  switch (event.type) {
    case "polled":
      return polled(line, event, atMs);
    case "asked":
      return { ...line, asking: true };
    case "told": {
      const told = { ...line, asking: false, askAtMs: atMs + ASK_AGAIN_MS };
      // An answer that was overtaken by packets says nothing of the next loss.
      return inDoubt(line, atMs) ? { ...told, standing: event.standing } : told;
    }
    case "dialled":
      return { ...line, dialledAtMs: atMs, standing: null };
    case "refused":
      return { ...line, dialledAtMs: null, broken: true, ...afterRefusal(event.status, atMs) };
    case "connected":
      return { ...newLine(atMs), asking: line.asking };
  }
}

export function nextStep(line: Line, nowMs: number): Step {
  const silentMs = nowMs - line.heardAtMs;
  if (!inDoubt(line, nowMs)) return nothing;
  if (silentMs >= LOST_MS) return { do: "end", reason: "lost" };
  if (line.dialledAtMs !== null) return nowMs - line.dialledAtMs >= ATTEMPT_MS ? dial : nothing;
  switch (line.standing?.state) {
    case "ended":
      return { do: "end", reason: line.standing.reason };
    case "reconnecting":
      return dial;
    case "connected":
      if (silentMs >= GIVEN_UP_MS) return dial;
  }
  return !line.asking && nowMs >= line.askAtMs ? ask : nothing;
}

/** Whether what is sent now may get lost. */
export function inDoubt(line: Line, nowMs: number): boolean {
  return line.broken || line.dialledAtMs !== null || nowMs - line.heardAtMs >= DOUBTED_MS;
}

/** Whether the caller may take the line for good: a short loss is none to them. */
export function isSteady(line: Line, nowMs: number): boolean {
  return !line.broken && line.dialledAtMs === null && nowMs - line.heardAtMs < SHOWN_MS;
}

function polled(line: Line, { packets, broken }: { packets: number; broken: boolean }, atMs: number): Line {
  const seen = { ...line, polledAtMs: atMs };
  if (line.dialledAtMs !== null) return afterSleep(seen, atMs - line.polledAtMs);
  // A connection that was told broken, or was refused, stays so: what may still come over it is no way back.
  const state = { ...seen, packets, broken: line.broken || broken };
  if (packets !== line.packets && !state.broken) return { ...state, heardAtMs: atMs, standing: null, askAtMs: atMs };
  return afterSleep(state, atMs - line.polledAtMs);
}

/** The time asleep does not count as time without packets, but the line is in doubt. */
function afterSleep(line: Line, sinceMs: number): Line {
  if (sinceMs < ASLEEP_MS) return line;
  const heardAtMs = Math.min(line.heardAtMs + sinceMs, line.polledAtMs - DOUBTED_MS);
  return { ...line, heardAtMs, dialledAtMs: line.dialledAtMs === null ? null : line.dialledAtMs + sinceMs };
}

/** The server is asked first, and at once where it says that the call has ended: it knows why. */
function afterRefusal(status: number, atMs: number): Pick<Line, "standing" | "askAtMs"> {
  if (status === 410) return { standing: null, askAtMs: atMs };
  if (status >= 400 && status < 500 && status !== 429) return { standing: lost, askAtMs: atMs };
  return { standing: null, askAtMs: atMs + AFTER_REFUSAL_MS };
}
