/** Where a call stands: a pure fold of what happens into what the page shows. */

import type { MicrophoneProblem } from "./microphone";
import type { Problem } from "./session";
import { closeTranscript, emptyTranscript, foldTranscript, type Transcript, type TranscriptEvent } from "./transcript";

/** ready: not yet called. asking: the browser asks for the microphone. The rest as in a telephone call. */
export type Phase = "ready" | "asking" | "connecting" | "live" | "ended" | "failed";

/** The server's reasons for the end of a call, and the page's own, which is lost. */
export const endReasons = [
  "hang_up",
  "goodbye",
  "idle",
  "max_duration",
  "closed",
  "never_connected",
  "operator",
  "shutdown",
  "bot_died",
  "caller_lost",
  "error",
  "lost",
] as const;
export type EndReason = (typeof endReasons)[number];

export function endReasonNamed(name: string | null): EndReason {
  return endReasons.find((reason) => reason === name) ?? "error";
}

export interface Ending {
  reason: EndReason;
  /** The server's own words on it; empty where it gave none. */
  text: string;
}

export interface CallState {
  phase: Phase;
  microphone: "off" | "on" | "muted";
  microphoneProblem: MicrophoneProblem | null;
  problem: Problem | null;
  userSpeaking: boolean;
  botSpeaking: boolean;
  thinking: boolean;
  /** False while packets do not get through, or a new connection is made. */
  lineSteady: boolean;
  /** True where the browser refused to play sound before a tap. */
  soundBlocked: boolean;
  startedAtMs: number | null;
  endedAtMs: number | null;
  ending: Ending | null;
  transcript: Transcript;
}

export type CallEvent =
  | { type: "microphone_asked" }
  | { type: "microphone_failed"; problem: MicrophoneProblem }
  | { type: "microphone_lost" }
  | { type: "muted"; muted: boolean }
  | { type: "connecting"; withMicrophone: boolean }
  | { type: "connected"; atMs: number }
  | { type: "failed"; problem: Problem }
  | { type: "ended"; ending: Ending; atMs: number }
  | { type: "user_speaking"; speaking: boolean }
  | { type: "bot_speaking"; speaking: boolean }
  | { type: "interrupted" }
  | { type: "line"; steady: boolean }
  | { type: "reconnecting" }
  | { type: "sound_blocked"; blocked: boolean }
  | Exclude<TranscriptEvent, { type: "bot_interrupted" | "line_lost" }>;

export const newCall: CallState = {
  phase: "ready",
  microphone: "off",
  microphoneProblem: null,
  problem: null,
  userSpeaking: false,
  botSpeaking: false,
  thinking: false,
  lineSteady: true,
  soundBlocked: false,
  startedAtMs: null,
  endedAtMs: null,
  ending: null,
  transcript: emptyTranscript,
};

export function reduceCall(state: CallState, event: CallEvent): CallState {
  if (state.phase === "ended" || state.phase === "failed") return state;
  switch (event.type) {
    case "microphone_asked":
      return { ...state, phase: "asking", microphoneProblem: null };
    case "microphone_failed":
      return { ...state, phase: "ready", microphoneProblem: event.problem };
    case "microphone_lost":
      return { ...state, microphone: "off", microphoneProblem: "lost", userSpeaking: false };
    case "muted":
      return { ...state, microphone: event.muted ? "muted" : "on" };
    case "connecting":
      return { ...state, phase: "connecting", microphone: event.withMicrophone ? "on" : "off" };
    case "connected":
      return { ...state, phase: "live", startedAtMs: state.startedAtMs ?? event.atMs, lineSteady: true };
    case "failed":
      return { ...state, phase: "failed", problem: event.problem };
    case "ended":
      return {
        ...state,
        phase: "ended",
        ending: event.ending,
        endedAtMs: event.atMs,
        transcript: closeTranscript(state.transcript),
      };
    case "user_speaking":
      return { ...state, userSpeaking: event.speaking, thinking: event.speaking ? false : state.thinking };
    case "bot_speaking": {
      const transcript = event.speaking ? foldTranscript(state.transcript, { type: "bot_answering" }) : state.transcript;
      return { ...state, botSpeaking: event.speaking, thinking: event.speaking ? false : state.thinking, transcript };
    }
    case "interrupted": {
      const interruption = { type: "bot_interrupted", whileSpeaking: state.botSpeaking } as const;
      return { ...state, thinking: false, transcript: foldTranscript(state.transcript, interruption) };
    }
    case "line":
      return state.lineSteady === event.steady ? state : { ...state, lineSteady: event.steady };
    case "reconnecting": {
      const loss = { type: "line_lost", whileSpeaking: state.botSpeaking } as const;
      const transcript = foldTranscript(state.transcript, loss);
      return { ...state, lineSteady: false, userSpeaking: false, botSpeaking: false, thinking: false, transcript };
    }
    case "sound_blocked":
      return { ...state, soundBlocked: event.blocked };
    case "bot_answering":
      return { ...state, thinking: true, transcript: foldTranscript(state.transcript, event) };
    default:
      return { ...state, transcript: foldTranscript(state.transcript, event) };
  }
}

/** What goes on right now, as the name the page and its tests know it by. */
export type Status =
  | "ready"
  | "asking"
  | "connecting"
  | "reconnecting"
  | "you-speaking"
  | "speaking"
  | "thinking"
  | "muted"
  | "listening"
  | "ended"
  | "failed";

export function statusOf(state: CallState): Status {
  if (state.phase !== "live") return state.phase;
  if (!state.lineSteady) return "reconnecting";
  if (state.userSpeaking) return "you-speaking";
  if (state.botSpeaking) return "speaking";
  if (state.thinking) return "thinking";
  return state.microphone === "muted" ? "muted" : "listening";
}
