/** The caller's microphone: asking for it, and handing it to the transport. */

import type { PipecatClientOptions, RTVIEventCallbacks, Tracks } from "@pipecat-ai/client-js";

export type MicrophoneProblem = "denied" | "absent" | "busy" | "insecure" | "unsupported" | "lost";

export class NoMicrophone extends Error {
  constructor(readonly problem: MicrophoneProblem) {
    super(problem);
  }
}

/** Asks the browser for the microphone. Raises NoMicrophone with the reason. */
export async function askForMicrophone(): Promise<MediaStream> {
  if (!window.isSecureContext) throw new NoMicrophone("insecure");
  if (!navigator.mediaDevices) throw new NoMicrophone("unsupported");
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
  } catch (error) {
    throw new NoMicrophone(problemNamed(error instanceof DOMException ? error.name : ""));
  }
}

export function stopStream(stream: MediaStream | null): void {
  stream?.getTracks().forEach((track) => track.stop());
}

function problemNamed(name: string): MicrophoneProblem {
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "absent";
  return "busy";
}

/**
 * The transport's media manager for one microphone, or none.
 *
 * The transport's own managers load a bundle from a CDN or run worklets from blob: URLs; this one takes a stream that
 * the caller has already allowed.
 */
export class MicrophoneManager {
  readonly supportsScreenShare = false;
  readonly isCamEnabled = false;
  readonly isSharingScreen = false;
  readonly selectedCam = {};
  readonly selectedSpeaker = {};
  isMicEnabled: boolean;
  private callbacks: RTVIEventCallbacks = {};
  private sent: MediaStreamTrack[] = [];

  constructor(
    private readonly stream: MediaStream | null,
    enabled: boolean,
  ) {
    this.isMicEnabled = stream !== null && enabled;
  }

  get selectedMic(): MediaDeviceInfo | Record<string, never> {
    return {};
  }

  setClientOptions(options: PipecatClientOptions): void {
    this.callbacks = options.callbacks ?? {};
  }

  async initialize(): Promise<void> {}

  async connect(): Promise<void> {
    const track = this.source();
    if (track) this.callbacks.onTrackStarted?.(track, { id: "local", name: "", local: true });
  }

  /** Leaves the microphone open: the call may go on over another connection. */
  async disconnect(): Promise<void> {
    this.sent.forEach((track) => track.stop());
  }

  /** A clone at each call: the transport stops the tracks it has sent when it replaces a broken connection. */
  tracks(): Tracks {
    const source = this.source();
    if (!source) return { local: {} };
    const track = source.clone();
    this.sent = [...this.sent.filter(({ readyState }) => readyState === "live"), track];
    return { local: { audio: track } };
  }

  enableMic(enable: boolean): void {
    this.isMicEnabled = enable;
    for (const track of [this.source(), ...this.sent]) if (track) track.enabled = enable;
  }

  enableCam(): void {}
  enableScreenShare(): void {}
  updateMic(): void {}
  updateCam(): void {}
  updateSpeaker(): void {}
  async getAllMics(): Promise<MediaDeviceInfo[]> {
    return [];
  }
  async getAllCams(): Promise<MediaDeviceInfo[]> {
    return [];
  }
  async getAllSpeakers(): Promise<MediaDeviceInfo[]> {
    return [];
  }
  async userStartedSpeaking(): Promise<void> {}
  bufferBotAudio(): undefined {}

  private source(): MediaStreamTrack | null {
    return this.stream?.getAudioTracks()[0] ?? null;
  }
}
