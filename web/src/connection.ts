/** One WebRTC connection of a call: what the Pipecat client reports, as the page's events. */

import { logger, LogLevel, PipecatClient, type BotOutputData, type RTVIMessage } from "@pipecat-ai/client-js";
import { SmallWebRTCTransport } from "@pipecat-ai/small-webrtc-transport";
import { MicrophoneManager } from "./microphone";
import { authorization, offerUrl, problemFromResponse, unreachable, type Problem, type Session } from "./session";
import type { CallEvent } from "./state";
import type { Citation } from "./transcript";
import type { WatchedConnection } from "./watch";

/** What a connection tells its call. */
export interface Reports {
  ready: () => void;
  /** Jarvis has ended the call, and says why. */
  callEnded: (reason: string, text: string) => void;
  /** Something broke for good on Jarvis's side. */
  fatal: () => void;
  /** The connection did not come about. */
  refused: (problem: Problem) => void;
  /** The other side has left without a word. */
  left: () => void;
  voice: (voice: MediaStream) => void;
  event: (event: CallEvent) => void;
}

interface ConnectionOptions {
  session: Session;
  /** The caller's microphone, which stays open when the connection ends; null for a call by text alone. */
  stream: MediaStream | null;
  muted: boolean;
  /** The server's name for the connection that this one takes the place of; null for a call's first. */
  replaces: string | null;
  reports: Reports;
}

export class Connection implements WatchedConnection {
  packets = 0;
  failure: number | null = null;
  private silent = false;
  private counting = false;
  private readonly client: ReportingClient;
  private readonly transport: CallTransport;

  constructor(private readonly options: ConnectionOptions) {
    logger.setLevel(LogLevel.NONE);
    const { session, stream, muted, replaces } = options;
    const answered = () => this.pcId !== null;
    this.transport = new CallTransport({
      mediaManager: new MicrophoneManager(stream, !muted),
      webrtcRequestParams: {
        endpoint: offerUrl(session),
        headers: authorization(session),
        // Read at each offer: the later ones renegotiate a connection that is this one.
        get requestData() {
          return replaces === null || answered() ? undefined : { replaces };
        },
      },
    });
    this.client = this.reportingClient();
    this.client.connect().catch((error: unknown) => void this.refused(error));
  }

  get pcId(): string | null {
    return this.transport.pc_id;
  }

  poll(): void {
    void this.countPackets();
    if (this.failure !== null) return;
    if (this.transport.pc?.iceConnectionState === "failed") this.failure = 0;
    // The transport would try again by itself, in two seconds; a call that has lost its line is in more of a hurry.
    const error = this.options.replaces === null ? null : this.transport._lastNegotiationError;
    if (error !== null) this.failure = error instanceof Response ? error.status : 0;
  }

  sendText(text: string): Promise<void> {
    return this.client.sendText(text, { run_immediately: true, audio_response: true });
  }

  setMuted(muted: boolean): void {
    this.client.enableMic(!muted);
  }

  silence(): void {
    this.silent = true;
    this.transport.stayLost();
  }

  close(): void {
    this.silence();
    this.client.disconnect().catch(() => {});
  }

  /** A report as long as somebody wants to hear it. */
  private report(tell: (reports: Reports) => void): void {
    if (!this.silent) tell(this.options.reports);
  }

  private dispatch(event: CallEvent): void {
    this.report((reports) => reports.event(event));
  }

  private reportingClient(): ReportingClient {
    const client = new ReportingClient({
      transport: this.transport,
      enableMic: this.options.stream !== null,
      enableCam: false,
      callbacks: {
        onBotReady: () => {
          // From now on the call sees to the line; what the transport had trouble with before is over.
          this.transport.stayLost();
          this.failure = null;
          this.report((reports) => reports.ready());
        },
        onDisconnected: () => (this.failure ??= 0),
        onBotDisconnected: () => {
          this.failure ??= 0;
          this.report((reports) => reports.left());
        },
        onError: (message) => {
          if ((message.data as { fatal?: boolean }).fatal) this.report((reports) => reports.fatal());
        },
        onTrackStarted: (track, participant) => {
          if (participant?.local || track.kind !== "audio") return;
          this.report((reports) => reports.voice(new MediaStream([track])));
        },
        onUserStartedSpeaking: () => this.dispatch({ type: "user_speaking", speaking: true }),
        onUserStoppedSpeaking: () => this.dispatch({ type: "user_speaking", speaking: false }),
        onUserTranscript: ({ text, final }) => this.dispatch({ type: "user_words", text, final }),
        onBotLlmStarted: () => this.dispatch({ type: "bot_answering" }),
        onBotStartedSpeaking: () => this.dispatch({ type: "bot_speaking", speaking: true }),
        onBotStoppedSpeaking: () => this.dispatch({ type: "bot_speaking", speaking: false }),
        onBotOutput: (output) => this.dispatch(wordsOf(output)),
        onServerMessage: (message: unknown) => this.receive(message as ServerMessage),
      },
    });
    client.onInterrupted = () => this.dispatch({ type: "interrupted" });
    return client;
  }

  private receive(message: ServerMessage): void {
    if (message.type === "citation") this.dispatch({ type: "citation", citation: message });
    else if (message.type === "notice") this.dispatch({ type: "notice", text: message.text });
    else if (message.type === "call_ended") this.report(({ callEnded }) => callEnded(message.reason, message.text));
  }

  /** The transport rejects with the server's answer to the offer as its cause. */
  private async refused(error: unknown): Promise<void> {
    const answer = error instanceof Error && error.cause instanceof Response ? error.cause : null;
    this.failure = answer?.status ?? 0;
    const problem = answer ? await problemFromResponse(answer) : unreachable();
    this.report((reports) => reports.refused(problem));
  }

  /**
   * Counts what came in over the network. `getSynchronizationSources()` would need no promise, but tells of what was
   * played: nothing, while the browser holds back the sound.
   */
  private async countPackets(): Promise<void> {
    const receiver = this.transport.pc?.getTransceivers()[0]?.receiver;
    if (!receiver || this.counting) return;
    this.counting = true;
    try {
      this.packets = packetsIn(await receiver.getStats());
    } catch {
      // A connection that was closed meanwhile has nothing more to tell.
    } finally {
      this.counting = false;
    }
  }
}

/** The transport, with those of its fields that a call needs and it keeps to itself. */
class CallTransport extends SmallWebRTCTransport {
  declare pc: RTCPeerConnection | null;
  declare pc_id: string | null;
  declare _lastNegotiationError: unknown;

  /** Ends its own attempts to reconnect, which are slower than the call's and would cross them. */
  stayLost(): void {
    this._abortController?.abort();
  }
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

function packetsIn(stats: RTCStatsReport): number {
  let packets = 0;
  stats.forEach((stat: { type: string; packetsReceived?: number }) => {
    if (stat.type === "inbound-rtp") packets += stat.packetsReceived ?? 0;
  });
  return packets;
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
