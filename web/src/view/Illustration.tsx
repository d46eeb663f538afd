/** A question and its answer as the call's tape would draw them: the caller below the line, Jarvis above it. */
export function Illustration() {
  return (
    <svg class="illustration" viewBox="0 0 480 72" preserveAspectRatio="xMinYMid slice" aria-hidden="true">
      <line x1="0" y1="36" x2="480" y2="36" class="rule" />
      {columns.map(({ voice, x, height }) => (
        <line
          key={x}
          x1={x}
          x2={x}
          y1={voice === "bot" ? 32 : 40}
          y2={voice === "bot" ? 32 - height : 40 + height}
          class={voice}
        />
      ))}
    </svg>
  );
}

const QUESTION = "Can I bring back a helmet I have not worn?";
const ANSWER = "Yes, within thirty days, unworn and with the receipt.";
const PITCH = 5;

/** A bar a letter, as tall as the letter is loud; a gap for each space. */
const columns = [
  ...barsOf(QUESTION, "user", 4),
  ...barsOf(ANSWER, "bot", 4 + (QUESTION.length - 5) * PITCH),
];

function barsOf(sentence: string, voice: "user" | "bot", fromX: number) {
  return [...sentence.toLowerCase()].flatMap((letter, index) => {
    const swell = 0.55 + 0.45 * Math.sin((index / sentence.length) * Math.PI);
    const height = Math.round(loudness(letter) * swell * 26);
    return height ? [{ voice, x: fromX + index * PITCH, height }] : [];
  });
}

function loudness(letter: string): number {
  if (!/[a-z]/.test(letter)) return 0;
  if ("aou".includes(letter)) return 1;
  if ("ei".includes(letter)) return 0.8;
  return "lmnrwy".includes(letter) ? 0.5 : 0.28;
}
