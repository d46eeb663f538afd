import { useEffect, useRef, useState } from "preact/hooks";
import { CallRefused, endSession, requestCall, unreachable, type Problem } from "../session";
import { pause, waitForCall } from "../waiting";

const ANSWER_KEY = "jarvis.answer";

export interface NewCall {
  starting: boolean;
  /** The caller's place in line, counted from 1; null where they do not wait. */
  position: number | null;
  problem: Problem | null;
  start: () => void;
  /** Gives up the place in line. */
  cancel: () => void;
}

/** Opens a session, in its turn where all lines are busy, and goes to its page, which calls without asking again. */
export function useNewCall(): NewCall {
  const [starting, setStarting] = useState(false);
  const [position, setPosition] = useState<number | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const attempt = useRef<AbortController | null>(null);
  useEffect(() => () => attempt.current?.abort(), []);

  async function start(): Promise<void> {
    setStarting(true);
    setProblem(null);
    const { signal } = (attempt.current = new AbortController());
    try {
      const onPlace = setPosition;
      const call = await waitForCall({ request: requestCall, release: endSession, pause, onPlace, signal });
      if (call === null) return;
      const link = new URL(call.call_link, location.href);
      sessionStorage.setItem(ANSWER_KEY, link.pathname);
      location.assign(link);
    } catch (error) {
      setProblem(error instanceof CallRefused ? error.problem : unreachable());
      reset();
    }
  }

  function cancel(): void {
    attempt.current?.abort();
    reset();
  }

  function reset(): void {
    setStarting(false);
    setPosition(null);
  }

  return { starting, position, problem, start: () => void start(), cancel };
}

/** Whether the caller came here by pressing the button; true once for each press. */
export function takeStartedHere(): boolean {
  const startedHere = sessionStorage.getItem(ANSWER_KEY) === location.pathname;
  sessionStorage.removeItem(ANSWER_KEY);
  return startedHere;
}
