/** Two questions and their answers as a call's tape would draw them: the caller below the line, Jarvis above it. */
export function Illustration() {
  return (
    <svg
      class="illustration"
      viewBox={`0 0 ${WIDTH} ${2 * MIDDLE}`}
      preserveAspectRatio="xMinYMid slice"
      aria-hidden="true"
    >
      <line x1="0" y1={MIDDLE} x2={WIDTH} y2={MIDDLE} class="rule" />
      {bars.map(({ voice, x, height }) => {
        const direction = voice === "bot" ? -1 : 1;
        const from = MIDDLE + direction * 4;
        return <line key={`${voice}${x}`} x1={x} x2={x} y1={from} y2={from + direction * height} class={voice} />;
      })}
    </svg>
  );
}

type Voice = "user" | "bot";

const PITCH = 5;
const MIDDLE = 36;
const LOUDEST = 28;

const sentences: [voice: Voice, atLetter: number, sentence: string][] = [
  ["user", 1, "Can I bring back what I have not used?"],
  ["bot", 41, "Yes, within thirty days, unused and with the"],
  ["user", 81, "And without a receipt?"],
  ["bot", 105, "Then we look it up for you."],
];
const WIDTH = 133 * PITCH;

/** A bar a letter, as tall as the letter is loud; a gap for each space. */
const bars = sentences.flatMap(([voice, atLetter, sentence]) =>
  [...sentence.toLowerCase()].flatMap((letter, index) => {
    const swell = 0.5 + 0.5 * Math.sin(((index + 1) / (sentence.length + 1)) * Math.PI);
    const height = Math.round(loudness(letter) * swell * LOUDEST);
    return height ? [{ voice, x: (atLetter + index) * PITCH, height }] : [];
  }),
);

function loudness(letter: string): number {
  if (!/[a-z]/.test(letter)) return 0;
  if ("aou".includes(letter)) return 1;
  if ("ei".includes(letter)) return 0.8;
  return "lmnrwy".includes(letter) ? 0.5 : 0.28;
}
