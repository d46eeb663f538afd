import { useState } from "preact/hooks";
import { CallRefused, createSession, unreachable, type Problem } from "../session";

const ANSWER_KEY = "jarvis.answer";

export interface NewCall {
  starting: boolean;
  problem: Problem | null;
  start: () => void;
}

/** Opens a session and goes to its page, which then calls without asking again. */
export function useNewCall(): NewCall {
  const [starting, setStarting] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  async function start(): Promise<void> {
    setStarting(true);
    setProblem(null);
    try {
      const link = new URL(await createSession(), location.href);
      sessionStorage.setItem(ANSWER_KEY, link.pathname);
      location.assign(link);
    } catch (error) {
      setProblem(error instanceof CallRefused ? error.problem : unreachable());
      setStarting(false);
    }
  }

  return { starting, problem, start: () => void start() };
}

/** Whether the caller came here by pressing the button; true once for each press. */
export function takeStartedHere(): boolean {
  const startedHere = sessionStorage.getItem(ANSWER_KEY) === location.pathname;
  sessionStorage.removeItem(ANSWER_KEY);
  return startedHere;
}
