/** Keeps a call on a line: watches the connection in use, and takes a new one where it is lost. */

import { inDoubt, isSteady, newLine, nextStep, reduceLine, type Line, type LineEvent, type Standing } from "./line";
import type { EndReason } from "./state";

/** What the watch needs of a connection; `connection.ts` has the real one. */
export interface WatchedConnection {
  /** Audio packets received so far, as of the last poll. */
  readonly packets: number;
  /** The server's name for this connection; null until it has answered the offer. */
  readonly pcId: string | null;
  /** Null while nothing is wrong; else the HTTP status that refused the offer, 0 where it was anything else. */
  readonly failure: number | null;
  poll(): void;
  /** Reports nothing from now on. */
  silence(): void;
  close(): void;
}

interface LineWatchOptions<C extends WatchedConnection> {
  first: C;
  /** Begins a connection in the place of the one that the server knows by this name. */
  open: (replaces: string | null) => C;
  /** How the call stands as the server sees it; null without an answer. Never rejects. */
  ask: () => Promise<Standing | null>;
  onDial: () => void;
  onSteady: (steady: boolean) => void;
  onEnd: (reason: EndReason) => void;
  nowMs: () => number;
}

/** Does nothing by itself: whoever owns it calls `tick` every `POLL_MS`, and `connected` when a connection is ready. */
export class LineWatch<C extends WatchedConnection> {
  private current: C;
  /** Connections given up for the current one. */
  private former: C[] = [];
  private replaces: string | null = null;
  private line: Line | null = null;
  private over = false;

  constructor(private readonly options: LineWatchOptions<C>) {
    this.current = options.first;
  }

  get connection(): C {
    return this.current;
  }

  get inDoubt(): boolean {
    return this.line === null || inDoubt(this.line, this.options.nowMs());
  }

  connected(): void {
    this.noteAnswer();
    if (this.line === null) this.line = newLine(this.options.nowMs());
    else this.fold({ type: "connected" });
  }

  tick(): void {
    this.current.poll();
    if (this.over || this.line === null) return;
    this.noteAnswer();
    const { packets, failure } = this.current;
    if (this.line.dialledAtMs !== null && failure !== null) this.fold({ type: "refused", status: failure });
    else this.fold({ type: "polled", packets, broken: failure !== null });
    this.proceed(this.line);
  }

  close(): void {
    this.over = true;
    for (const connection of [...this.former, this.current]) connection.close();
    this.former = [];
  }

  private proceed(line: Line): void {
    const step = nextStep(line, this.options.nowMs());
    if (step.do === "end") this.options.onEnd(step.reason);
    else if (step.do === "dial") this.dial();
    else if (step.do === "ask") void this.ask();
    if (!this.over && this.line) this.options.onSteady(isSteady(this.line, this.options.nowMs()));
  }

  private dial(): void {
    this.current.silence();
    this.former.push(this.current);
    this.fold({ type: "dialled" });
    this.options.onDial();
    this.current = this.options.open(this.replaces);
  }

  private async ask(): Promise<void> {
    this.fold({ type: "asked" });
    const standing = await this.options.ask();
    if (!this.over) this.fold({ type: "told", standing });
  }

  /**
   * A former connection is closed only when a newer one is answered: to the bot, the end of the one that it has in use
   * is the caller hanging up.
   */
  private noteAnswer(): void {
    if (this.current.pcId === null) return;
    this.replaces = this.current.pcId;
    for (const connection of this.former) connection.close();
    this.former = [];
  }

  private fold(event: LineEvent): void {
    if (this.line) this.line = reduceLine(this.line, event, this.options.nowMs());
  }
}
