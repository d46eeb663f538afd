/** One call over WebRTC: turns what the Pipecat client reports into the page's events. */

import { logger, LogLevel, PipecatClient, type BotOutputData, type RTVIMessage } from "@pipecat-ai/client-js";
import { SmallWebRTCTransport } from "@pipecat-ai/small-webrtc-transport";
import type { Levels } from "./levels";
import { MicrophoneManager } from "./microphone";
import { authorization, endSession, offerUrl, problem, problemFromResponse, unreachable } from "./session";
import type { Problem, Session } from "./session";
import type { CallEvent, EndReason } from "./state";
import type { Citation } from "./transcript";

const PICK_UP_TIMEOUT_MS = 30_000;
const LINE_CHECK_INTERVAL_MS = 1_000;
const END_REASONS: readonly EndReason[] = ["hang_up", "idle", "max_duration", "error"];

export interface Call {
  sendText(text: string): void;
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
  logger.setLevel(LogLevel.NONE);
  let over = false;
  let live = false;
  const transport = new SmallWebRTCTransport({
    mediaManager: new MicrophoneManager(stream),
    webrtcRequestParams: { endpoint: offerUrl(session), headers: authorization(session) },
  });

  function close(): boolean {
    if (over) return false;
    over = true;
    clearInterval(lineCheck);
    clearTimeout(pickUp);
    speaker.srcObject = null;
    levels.close();
    client.disconnect().catch(() => {});
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

  const client = new ReportingClient({
    transport,
    enableMic: stream !== null,
    enableCam: false,
    callbacks: {
      onBotReady: () => {
        live = true;
        clearTimeout(pickUp);
        dispatch({ type: "connected", atMs: Date.now() });
      },
      // Before Jarvis has answered, the rejection of connect() says more.
      onDisconnected: () => live && end("lost"),
      onBotDisconnected: () => end(live ? "left" : "error"),
      onError: (message) => (message.data as { fatal?: boolean }).fatal && end("error"),
      onTrackStarted: (track, participant) => {
        if (participant?.local || track.kind !== "audio") return;
        const heard = new MediaStream([track]);
        speaker.srcObject = heard;
        levels.listen("bot", heard);
        play();
      },
      onUserStartedSpeaking: () => dispatch({ type: "user_speaking", speaking: true }),
      onUserStoppedSpeaking: () => dispatch({ type: "user_speaking", speaking: false }),
      onUserTranscript: ({ text, final }) => dispatch({ type: "user_words", text, final }),
      onBotLlmStarted: () => dispatch({ type: "bot_answering" }),
      onBotStartedSpeaking: () => dispatch({ type: "bot_speaking", speaking: true }),
      onBotStoppedSpeaking: () => dispatch({ type: "bot_speaking", speaking: false }),
      onBotOutput: (output) => dispatch(wordsOf(output)),
      onServerMessage: (message: unknown) => receive(message as ServerMessage),
    },
  });
  client.onInterrupted = () => dispatch({ type: "interrupted" });

  function receive(message: ServerMessage): void {
    if (message.type === "citation") dispatch({ type: "citation", citation: message });
    else if (message.type === "notice") dispatch({ type: "notice", text: message.text });
    else if (message.type === "call_ended") end(END_REASONS.find((r) => r === message.reason) ?? "error", message.text);
  }

  const pickUp = setTimeout(
    () => fail(problem("Jarvis did not pick up", "The call was placed, but nobody answered.")),
    PICK_UP_TIMEOUT_MS,
  );
  const lineCheck = setInterval(() => dispatch({ type: "line", steady: isSteady(transport) }), LINE_CHECK_INTERVAL_MS);

  if (stream) {
    levels.listen("user", stream);
    stream.getAudioTracks()[0]?.addEventListener("ended", () => !over && dispatch({ type: "microphone_lost" }));
  }
  dispatch({ type: "connecting", withMicrophone: stream !== null });
  client.connect().catch(async (error: unknown) => fail(await problemOf(error)));

  return {
    sendText(text) {
      dispatch({ type: "user_typed", text });
      client.sendText(text, { run_immediately: true, audio_response: true }).catch(() => {
        dispatch({ type: "notice", text: "That message could not be sent." });
      });
    },
    setMuted(muted) {
      client.enableMic(!muted);
      dispatch({ type: "muted", muted });
    },
    hangUp: () => end("hang_up"),
    leave: () => {
      if (close()) endSession(session);
    },
    allowSound: play,
  };
}

type ServerMessage =
  | ({ type: "citation" } & Citation)
  | { type: "notice"; text: string }
  | { type: "call_ended"; reason: string; text: string };

/** The client, with the one message that its callbacks leave out. */
class ReportingClient extends PipecatClient {
  onInterrupted: () => void = () => {};

  protected override handleMessage(message: RTVIMessage): void {
    if (message.type === "bot-interrupted") this.onInterrupted();
    else super.handleMessage(message);
  }
}

function wordsOf(output: BotOutputData): CallEvent {
  // Text that is not spoken is only ever shown: all of it counts as said at once.
  const progress = output.will_be_spoken ? output.spoken_progress : undefined;
  return {
    type: "bot_words",
    status: output.spoken_status ?? "completed",
    segment: {
      id: output.segment_id ?? 0,
      said: (progress ? progress.accumulated_text : output.text).trim(),
      unsaid: (progress?.remaining_text ?? "").trim(),
    },
  };
}

/** Whether packets get through. The transport retries on its own, but keeps its connection to itself. */
function isSteady(transport: SmallWebRTCTransport): boolean {
  const { pc } = transport as unknown as { pc: RTCPeerConnection | null };
  return pc === null || pc.iceConnectionState === "connected" || pc.iceConnectionState === "completed";
}

/** The transport rejects with the server's answer to the offer as its cause. */
async function problemOf(error: unknown): Promise<Problem> {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Response) return problemFromResponse(cause);
  return unreachable();
}
