/** Waiting in line for a call. */

import { CallRefused, type CreatedCall, type Place } from "./session";

/** The server keeps a place for 15 s without a word of its ticket. */
const FAILURES_BORNE = 3;
const AFTER_FAILURE_MS = 3_000;

interface Waiting {
  /** Asks for a call, or for the place in line of this ticket. Raises CallRefused. */
  request: (ticket: string | null) => Promise<CreatedCall | Place>;
  /** Takes back a call that came too late. */
  release: (call: CreatedCall) => void;
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
  onPlace: (position: number) => void;
  signal: AbortSignal;
}

/** A call, once there is one; null where the caller gave up. Raises CallRefused where there is none to wait for. */
export async function waitForCall({ request, release, pause, onPlace, signal }: Waiting): Promise<CreatedCall | null> {
  let ticket: string | null = null;
  let failures = 0;
  for (;;) {
    let waitMs = AFTER_FAILURE_MS;
    try {
      const answer = await request(ticket);
      failures = 0;
      if ("call_link" in answer) {
        if (!signal.aborted) return answer;
        release(answer);
        return null;
      }
      ticket = answer.ticket;
      if (!signal.aborted) onPlace(answer.position);
      waitMs = 1_000 * Math.max(1, answer.retryAfterSecs);
    } catch (error) {
      if (signal.aborted) return null;
      const passing = error instanceof CallRefused && error.problem.status === 0;
      if (!passing || ticket === null || ++failures > FAILURES_BORNE) throw error;
    }
    await pause(waitMs, signal);
    if (signal.aborted) return null;
  }
}

/** Ends early when the signal does. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
