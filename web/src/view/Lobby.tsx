import { Frame, Headline } from "./Frame";
import { Illustration } from "./Illustration";
import { StartCall } from "./StartCall";

export function Lobby({ name }: { name: string }) {
  return (
    <Frame name={name}>
      <Illustration />
      <Headline>{name ? `Ask ${name} anything, out loud` : "Ask anything, out loud"}</Headline>
      <p class="lede">
        Jarvis answers by voice from {name ? `the documents of ${name}` : "the documents it was given"}, and shows you the
        passage each answer comes from.
      </p>
      <StartCall label="Start a call" />
      <p class="fine">
        Your browser will ask to use the microphone. Jarvis hears you only during the call, you can interrupt it at any
        time, and you can type instead.
      </p>
    </Frame>
  );
}
