/** How loud each side of the call is. */

export type Voice = "user" | "bot";

const QUIETEST_DB = -52;
const LOUDEST_DB = -10;

export class Levels {
  private context: AudioContext | null = null;
  private readonly analysers = new Map<Voice, AnalyserNode>();
  private readonly sources = new Map<Voice, AudioNode>();
  private readonly samples = new Float32Array(1024);

  /** Measures a stream from now on. A stream of the same voice before it is let go. */
  listen(voice: Voice, stream: MediaStream): void {
    this.context ??= new AudioContext();
    this.resume();
    this.sources.get(voice)?.disconnect();
    const analyser = this.context.createAnalyser();
    analyser.fftSize = this.samples.length;
    const source = this.context.createMediaStreamSource(stream);
    source.connect(analyser);
    this.sources.set(voice, source);
    this.analysers.set(voice, analyser);
  }

  /** Starts measuring where the browser waits for a tap before any sound. */
  resume(): void {
    if (this.context?.state === "suspended") this.context.resume().catch(() => {});
  }

  /** Loudness right now: 0 is silence, 1 a raised voice. */
  read(voice: Voice): number {
    const analyser = this.analysers.get(voice);
    if (!analyser) return 0;
    analyser.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, sample) => sum + sample * sample, 0) / this.samples.length;
    const db = 10 * Math.log10(power + 1e-12);
    return Math.min(1, Math.max(0, (db - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB)));
  }

  close(): void {
    this.analysers.clear();
    this.sources.clear();
    this.context?.close().catch(() => {});
    this.context = null;
  }
}
