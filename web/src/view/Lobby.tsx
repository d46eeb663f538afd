import { Frame, Headline } from "./Frame";
import { Illustration } from "./Illustration";
import { ProblemNote } from "./Screens";
import { useNewCall } from "./newCall";

export function Lobby({ name }: { name: string }) {
  const call = useNewCall();
  return (
    <Frame name={name}>
      <Illustration />
      <Headline>{name ? `Ask ${name} anything, out loud` : "Ask anything, out loud"}</Headline>
      <p class="lede">
        Jarvis answers by voice from {name ? `the documents of ${name}` : "the documents it was given"}, and shows you the
        passage each answer comes from.
      </p>
      <div class="actions">
        <button class="primary" data-testid="start-call" onClick={call.start} disabled={call.starting}>
          {call.starting ? "Opening a line" : "Start a call"}
        </button>
      </div>
      {call.problem && <ProblemNote problem={call.problem} />}
      <p class="fine">
        Your browser will ask to use the microphone. Jarvis hears you only during the call, you can interrupt it at any
        time, and you can type instead.
      </p>
    </Frame>
  );
}
