/** One call, over as many connections as it takes. */

import { Connection, type Reports } from "./connection";
import type { Levels } from "./levels";
import { POLL_MS } from "./line";
import { stopStream } from "./microphone";
import { endSession, problem, readStanding, type Problem, type Session } from "./session";
import { endReasonNamed, type CallEvent, type EndReason } from "./state";
import { LineWatch } from "./watch";

const PICK_UP_TIMEOUT_MS = 30_000;

export interface Call {
  /** False where the line is in doubt: nothing was sent then. */
  sendText(text: string): boolean;
  setMuted(muted: boolean): void;
  hangUp(): void;
  /** Ends the call for a page that is going away. */
  leave(): void;
  /** Plays Jarvis's voice after the browser had refused to. */
  allowSound(): void;
}

interface CallOptions {
  session: Session;
  /** The caller's microphone; null for a call by text alone. */
  stream: MediaStream | null;
  levels: Levels;
  speaker: HTMLAudioElement;
  dispatch: (event: CallEvent) => void;
}

export function startCall({ session, stream, levels, speaker, dispatch }: CallOptions): Call {
  let over = false;
  let live = false;
  let muted = false;

  function close(): boolean {
    if (over) return false;
    over = true;
    clearInterval(ticks);
    clearTimeout(pickUp);
    speaker.srcObject = null;
    levels.close();
    watch.close();
    stopStream(stream);
    return true;
  }

  function end(reason: EndReason, text = ""): void {
    if (!close()) return;
    endSession(session);
    dispatch({ type: "ended", ending: { reason, text }, atMs: Date.now() });
  }

  function fail(problem: Problem): void {
    if (!close()) return;
    // A session that refused this page may be in a call somewhere else.
    if (problem.status === 0) endSession(session);
    dispatch({ type: "failed", problem });
  }

  function play(): void {
    speaker.play().then(
      () => dispatch({ type: "sound_blocked", blocked: false }),
      () => dispatch({ type: "sound_blocked", blocked: true }),
    );
  }

  const reports: Reports = {
    ready: () => {
      live = true;
      clearTimeout(pickUp);
      watch.connected();
      dispatch({ type: "connected", atMs: Date.now() });
    },
    callEnded: (reason, text) => end(endReasonNamed(reason), text),
    fatal: () => end("error"),
    // In a call that was up, the watch sees to both.
    left: () => !live && end("error"),
    refused: (problem) => !live && fail(problem),
    voice: (voice) => {
      speaker.srcObject = voice;
      levels.listen("bot", voice);
      play();
    },
    event: dispatch,
  };
  const open = (replaces: string | null) => new Connection({ session, stream, muted, replaces, reports });

  const watch = new LineWatch({
    first: open(null),
    open,
    ask: () => readStanding(session),
    onDial: () => dispatch({ type: "reconnecting" }),
    onSteady: (steady) => dispatch({ type: "line", steady }),
    onEnd: end,
    nowMs: () => performance.now(),
  });
  const ticks = setInterval(() => watch.tick(), POLL_MS);
  const pickUp = setTimeout(
    () => fail(problem("Jarvis did not pick up", "The call was placed, but nobody answered.")),
    PICK_UP_TIMEOUT_MS,
  );

  if (stream) {
    levels.listen("user", stream);
    stream.getAudioTracks()[0]?.addEventListener("ended", () => !over && dispatch({ type: "microphone_lost" }));
  }
  dispatch({ type: "connecting", withMicrophone: stream !== null });

  return {
    sendText(text) {
      if (watch.inDoubt) return false;
      dispatch({ type: "user_typed", text });
      watch.connection.sendText(text).catch(() => {
        dispatch({ type: "notice", text: "That message could not be sent." });
      });
      return true;
    },
    setMuted(to) {
      muted = to;
      watch.connection.setMuted(muted);
      dispatch({ type: "muted", muted });
    },
    hangUp: () => end("hang_up"),
    leave: () => {
      if (close()) endSession(session);
    },
    allowSound: play,
  };
}
