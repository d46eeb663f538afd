import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Call } from "../call";
import type { Levels } from "../levels";
import { statusOf, type CallState } from "../state";
import { runTape } from "../tape";
import { clock, microphoneAdvice, statusWords } from "../words";
import { TranscriptView } from "./TranscriptView";

interface CallScreenProps {
  name: string;
  state: CallState;
  levels: Levels;
  call: RefObject<Call | null>;
}

export function CallScreen({ name, state, levels, call }: CallScreenProps) {
  const status = statusOf(state);
  const screen = useRef<HTMLDivElement>(null);
  useEffect(() => screen.current?.focus(), []);
  return (
    <div class="call" ref={screen} tabIndex={-1} aria-label="Call with Jarvis" role="region">
      <header class="masthead">
        <span class="business">{name || "Jarvis"}</span>
        <Timer startedAtMs={state.startedAtMs} />
      </header>
      <Tape state={state} levels={levels} />
      <p class="status" data-testid="status" data-state={status}>
        {statusWords[status]}
        {status === "connecting" && <span class="dots" aria-hidden="true" />}
      </p>
      <p class="visually-hidden" role="status">
        {announcement(state)}
      </p>
      <Warnings state={state} onAllowSound={() => call.current?.allowSound()} />
      <TranscriptView transcript={state.transcript} live />
      <Controls state={state} call={call} />
    </div>
  );
}

/** What a screen reader is told of the line; who speaks can be heard. */
function announcement({ phase, lineSteady }: CallState): string {
  if (phase === "connecting") return "Calling Jarvis";
  return lineSteady ? "Connected. Jarvis is on the line." : "Connection lost, reconnecting";
}

function Timer({ startedAtMs }: { startedAtMs: number | null }) {
  const [nowMs, setNowMs] = useState(Date.now());
  useEffect(() => {
    const tick = setInterval(() => setNowMs(Date.now()), 500);
    return () => clearInterval(tick);
  }, []);
  if (startedAtMs === null) return null;
  return (
    <span class="timer" role="timer" aria-label="Call time">
      {clock(nowMs - startedAtMs)}
    </span>
  );
}

function Tape({ state, levels }: { state: CallState; levels: Levels }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => (canvas.current ? runTape(canvas.current, levels) : undefined), []);
  return (
    <div class="tape" aria-hidden="true">
      <span class={state.botSpeaking ? "voice bot speaking" : "voice bot"}>Jarvis</span>
      <span class={state.userSpeaking ? "voice user speaking" : "voice user"}>You</span>
      <canvas ref={canvas} />
    </div>
  );
}

function Warnings({ state, onAllowSound }: { state: CallState; onAllowSound: () => void }) {
  const advice = state.microphoneProblem && microphoneAdvice[state.microphoneProblem];
  return (
    <div class="warnings" role="alert">
      {state.microphone === "off" && (
        <p>
          {state.microphoneProblem === "lost" && advice
            ? `${advice.title}. ${advice.detail}`
            : "You are calling without a microphone: type your questions, and listen."}
        </p>
      )}
      {state.soundBlocked && (
        <p>
          Your browser holds back the sound.{" "}
          <button class="inline" onClick={onAllowSound}>
            Let me hear Jarvis
          </button>
        </p>
      )}
    </div>
  );
}

function Controls({ state, call }: { state: CallState; call: RefObject<Call | null> }) {
  const [text, setText] = useState("");
  const live = state.phase === "live";
  const sendable = live && state.lineSteady && text.trim() !== "";
  const muted = state.microphone === "muted";

  function send(event: Event): void {
    event.preventDefault();
    if (sendable && call.current?.sendText(text.trim())) setText("");
  }

  return (
    <footer class="controls">
      <form onSubmit={send}>
        <label class="visually-hidden" for="text-input">
          Type to Jarvis
        </label>
        <input
          id="text-input"
          data-testid="text-input"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          placeholder="Or type here"
          autocomplete="off"
          enterkeyhint="send"
          maxLength={2000}
        />
        <button class="secondary" type="submit" disabled={!sendable}>
          Send
        </button>
      </form>
      <div class="line">
        <button
          class="secondary"
          data-testid="mute"
          disabled={!live || state.microphone === "off"}
          onClick={() => call.current?.setMuted(!muted)}
        >
          {muted ? "Unmute" : "Mute"}
        </button>
        <button class="hang-up" data-testid="hang-up" onClick={() => call.current?.hangUp()}>
          Hang up
        </button>
      </div>
    </footer>
  );
}
