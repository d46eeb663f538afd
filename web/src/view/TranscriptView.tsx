import { memo } from "preact/compat";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { BotTurn, Segment, Transcript, Turn, UserTurn } from "../transcript";
import { Sources } from "./Sources";

const NEAR_END_PX = 80;

/** Both sides of the call. While live it follows what is said, unless the caller has scrolled up to read. */
export function TranscriptView({ transcript, live }: { transcript: Transcript; live: boolean }) {
  const log = useRef<HTMLDivElement>(null);
  const followed = useRef(true);
  useLayoutEffect(() => {
    const element = log.current;
    if (live && element && followed.current) element.scrollTop = element.scrollHeight;
  }, [transcript]);

  function noteScroll(): void {
    const element = log.current;
    if (element) followed.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
  }

  return (
    <div
      ref={log}
      class="transcript"
      data-testid="transcript"
      role={live ? "log" : undefined}
      aria-label="Transcript"
      tabIndex={live ? 0 : undefined}
      onScroll={live ? noteScroll : undefined}
    >
      {transcript.turns.map((turn) => (
        <TurnView key={turn.key} turn={turn} />
      ))}
    </div>
  );
}

const TurnView = memo(({ turn }: { turn: Turn }) => {
  if (turn.who === "notice") return <p class="notice">{turn.text}</p>;
  return turn.who === "user" ? <UserTurnView turn={turn} /> : <BotTurnView turn={turn} />;
});

function UserTurnView({ turn }: { turn: UserTurn }) {
  return (
    <article class="turn by-user" data-testid="turn-user">
      <h3>{turn.typed ? "You, typing" : "You"}</h3>
      <p>
        {turn.said}
        {turn.interim && (
          <span class="interim" aria-hidden="true">
            {turn.said && " "}
            {turn.interim}
          </span>
        )}
      </p>
    </article>
  );
}

function BotTurnView({ turn }: { turn: BotTurn }) {
  // Sources can be known before a word is spoken; they are shown with the answer.
  if (turn.segments.length === 0) return null;
  return (
    <article class="turn by-bot" data-testid="turn-bot">
      <h3>Jarvis</h3>
      <p>
        {turn.segments.map((segment) => (
          <SegmentView key={keyOf(segment)} segment={segment} />
        ))}
        {turn.interrupted && <span class="cut">interrupted</span>}
      </p>
      {turn.citations.length > 0 && <Sources turnKey={turn.key} citations={turn.citations} />}
    </article>
  );
}

/** A finished stretch is a new element: only that way is it read out, once, by a screen reader. */
function keyOf({ id, unsaid }: Segment): string {
  return unsaid ? `${id}-open` : `${id}`;
}

function SegmentView({ segment: { said, unsaid } }: { segment: Segment }) {
  if (!unsaid) return <span>{said} </span>;
  return (
    <span aria-hidden="true">
      {said} <span class="unsaid">{unsaid} </span>
    </span>
  );
}
