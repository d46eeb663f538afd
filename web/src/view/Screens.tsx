import { adviceFor, type Problem } from "../session";
import type { CallState } from "../state";
import { countTranscript } from "../transcript";
import { clock, counted, endingWords, microphoneAdvice } from "../words";
import { Frame, Headline } from "./Frame";
import { StartCall } from "./StartCall";
import { TranscriptView } from "./TranscriptView";

/** A call that can't be had: what went wrong, and what to do. */
export function ProblemScreen({ name, problem, takesFocus }: { name: string; problem: Problem; takesFocus?: boolean }) {
  return (
    <Frame name={name}>
      <p class="visually-hidden" data-testid="status" data-state="failed">
        Call failed
      </p>
      <Headline takesFocus={takesFocus}>{problem.title}</Headline>
      <p class="lede">{problem.detail}</p>
      <p>{adviceFor(problem)}</p>
      <StartCall label="Start a new call" />
    </Frame>
  );
}

/** Before the call: asks for the microphone, and says what to do where there is none. */
export function ReadyScreen(props: { name: string; state: CallState; onCall: () => void; onCallByText: () => void }) {
  const { name, state, onCall, onCallByText } = props;
  const asking = state.phase === "asking";
  const advice = state.microphoneProblem && microphoneAdvice[state.microphoneProblem];
  const hopeless = state.microphoneProblem === "insecure" || state.microphoneProblem === "unsupported";
  return (
    <Frame name={name}>
      <p class="visually-hidden" role="status" data-testid="status" data-state={state.phase}>
        {asking ? "Waiting for your microphone" : ""}
      </p>
      <Headline takesFocus={state.microphoneProblem !== null} key={state.microphoneProblem ?? ""}>
        {advice ? advice.title : asking ? "Please allow the microphone" : "Jarvis is ready for your call"}
      </Headline>
      <p class="lede">
        {advice
          ? advice.detail
          : asking
            ? "Your browser is asking whether this page may use it. Jarvis hears you only during the call."
            : "Your browser will ask to use the microphone. Jarvis hears you only during the call."}
      </p>
      <div class="actions">
        {!asking && !hopeless && (
          <button class="primary" data-testid="start-call" onClick={onCall}>
            {advice ? "Try the microphone again" : "Start the call"}
          </button>
        )}
        <button class={hopeless ? "primary" : "secondary"} data-testid="start-by-text" onClick={onCallByText}>
          {advice ? "Call and type instead" : "Call without a microphone"}
        </button>
      </div>
    </Frame>
  );
}

/** After the call: how it ended, and everything that was said. */
export function EndedScreen({ name, state }: { name: string; state: CallState }) {
  const ending = endingWords(state.ending ?? { reason: "hang_up", text: "" });
  const { questions, sources } = countTranscript(state.transcript);
  const lastedMs = state.startedAtMs === null ? 0 : (state.endedAtMs ?? 0) - state.startedAtMs;
  return (
    <Frame name={name}>
      <p class="visually-hidden" data-testid="status" data-state="ended">
        Call ended
      </p>
      <Headline takesFocus>{ending.title}</Headline>
      {ending.detail && <p class="lede">{ending.detail}</p>}
      <dl class="summary">
        <dt>Lasted</dt>
        <dd>{clock(lastedMs)}</dd>
        <dt>You spoke</dt>
        <dd>{counted(questions, "time")}</dd>
        <dt>Answered from</dt>
        <dd>{counted(sources, "document")}</dd>
      </dl>
      <StartCall label="Call again" />
      {state.transcript.turns.length > 0 && (
        <section class="kept">
          <h2>What was said</h2>
          <TranscriptView transcript={state.transcript} live={false} />
        </section>
      )}
    </Frame>
  );
}
