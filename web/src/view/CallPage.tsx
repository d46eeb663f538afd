import { useEffect, useMemo, useReducer, useRef } from "preact/hooks";
import { startCall, type Call } from "../call";
import { Levels } from "../levels";
import { askForMicrophone, NoMicrophone, stopStream } from "../microphone";
import type { Session } from "../session";
import { newCall, reduceCall } from "../state";
import { CallScreen } from "./CallScreen";
import { EndedScreen, ProblemScreen, ReadyScreen } from "./Screens";
import { takeStartedHere } from "./newCall";

/** One session from the caller's first press to the end of the call. */
export function CallPage({ name, session }: { name: string; session: Session }) {
  const [state, dispatch] = useReducer(reduceCall, newCall);
  const levels = useMemo(() => new Levels(), []);
  const call = useRef<Call | null>(null);

  function start(stream: MediaStream | null): void {
    call.current = startCall({ session, stream, levels, speaker: new Audio(), dispatch });
  }

  async function callWithMicrophone(): Promise<void> {
    dispatch({ type: "microphone_asked" });
    try {
      const stream = await askForMicrophone();
      // The caller may have given up on the question and gone on by text.
      if (call.current) stopStream(stream);
      else start(stream);
    } catch (error) {
      if (!call.current) dispatch({ type: "microphone_failed", problem: (error as NoMicrophone).problem });
    }
  }

  useEffect(() => {
    if (takeStartedHere()) void callWithMicrophone();
    const leave = () => call.current?.leave();
    const resume = () => levels.resume();
    // A page that comes back from the browser's cache has lost its call.
    const reload = (event: PageTransitionEvent) => event.persisted && location.reload();
    addEventListener("pagehide", leave);
    addEventListener("pageshow", reload);
    addEventListener("pointerdown", resume);
    addEventListener("keydown", resume);
    return () => {
      removeEventListener("pagehide", leave);
      removeEventListener("pageshow", reload);
      removeEventListener("pointerdown", resume);
      removeEventListener("keydown", resume);
    };
  }, []);

  switch (state.phase) {
    case "ready":
    case "asking":
      return (
        <ReadyScreen
          name={name}
          state={state}
          onCall={() => void callWithMicrophone()}
          onCallByText={() => start(null)}
        />
      );
    case "connecting":
    case "live":
      return <CallScreen name={name} state={state} levels={levels} call={call} />;
    case "ended":
      return <EndedScreen name={name} state={state} />;
    case "failed":
      return state.problem && <ProblemScreen name={name} problem={state.problem} takesFocus />;
  }
}
