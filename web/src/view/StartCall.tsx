import { useEffect, useRef } from "preact/hooks";
import { adviceFor, type Problem } from "../session";
import { placeWords } from "../words";
import { useNewCall } from "./newCall";

/** The way into a new call: the button, the wait where all lines are busy, and why it is not to be had. */
export function StartCall({ label }: { label: string }) {
  const { starting, position, problem, start, cancel } = useNewCall();
  const waiting = position !== null;
  const startButton = useRef<HTMLButtonElement>(null);
  const cancelButton = useRef<HTMLButtonElement>(null);
  const waited = useRef(false);
  useEffect(() => {
    if (waiting) cancelButton.current?.focus();
    else if (waited.current) startButton.current?.focus();
    waited.current = waiting;
  }, [waiting]);
  return (
    <>
      <div class="actions">
        <button ref={startButton} class="primary" data-testid="start-call" onClick={start} disabled={starting}>
          {waiting ? "Waiting for a line" : starting ? "Opening a line" : label}
        </button>
        {waiting && (
          <button ref={cancelButton} class="secondary" data-testid="cancel" onClick={cancel}>
            Cancel
          </button>
        )}
      </div>
      <p class="place" role="status" data-testid="place">
        {waiting && `All lines are busy. ${placeWords(position)}`}
      </p>
      {problem && <ProblemNote problem={problem} />}
    </>
  );
}

function ProblemNote({ problem }: { problem: Problem }) {
  return (
    <div class="note" role="alert">
      <strong>{problem.title}</strong>
      <p>
        {problem.detail} {adviceFor(problem)}
      </p>
    </div>
  );
}
