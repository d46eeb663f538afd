import { useEffect, useRef, useState } from "preact/hooks";
import { quoteInPassage } from "../passage";
import type { Citation } from "../transcript";

/** The sources of one answer; one of them can be open at a time. */
export function Sources({ turnKey, citations }: { turnKey: number; citations: Citation[] }) {
  const [openNumber, setOpenNumber] = useState<number | null>(null);
  const open = citations.find(({ number }) => number === openNumber);
  const panelId = `source-of-${turnKey}`;
  return (
    <div class="sources">
      <ul aria-label="Sources of this answer">
        {citations.map(({ number, title, heading_path }) => (
          <li key={number}>
            <button
              class="chip"
              data-testid="citation"
              aria-expanded={number === openNumber}
              aria-controls={panelId}
              onClick={() => setOpenNumber(number === openNumber ? null : number)}
            >
              <span class="number">{number}</span>
              <span>
                {title}
                {heading_path.length > 0 && <span class="section">{heading_path.at(-1)}</span>}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <div id={panelId}>{open && <Passage key={open.number} citation={open} />}</div>
    </div>
  );
}

function Place({ source }: { source: string }) {
  if (!/^https?:\/\//i.test(source)) return <>{source}</>;
  return (
    <a href={source} target="_blank" rel="noopener noreferrer">
      {source}
    </a>
  );
}

function Passage({ citation }: { citation: Citation }) {
  const scroller = useRef<HTMLQuoteElement>(null);
  const mark = useRef<HTMLElement>(null);
  useEffect(() => {
    const [box, quote] = [scroller.current, mark.current];
    if (!box || !quote) return;
    box.scrollTop = quote.offsetTop - box.offsetTop - box.clientHeight / 3;
    box.parentElement?.scrollIntoView({ block: "nearest" });
  }, []);
  const { before, quote, after } = quoteInPassage(citation);
  return (
    <div class="passage">
      <p class="path">
        {[citation.title, ...citation.heading_path].map((part, index) => (
          <span key={index}>{part}</span>
        ))}
      </p>
      <blockquote ref={scroller} tabIndex={0} aria-label="Passage">
        {before}
        <mark ref={mark} data-testid="citation-quote">
          {quote}
        </mark>
        {after}
      </blockquote>
      <p class="file">
        <Place source={citation.source} />
        {citation.page !== null && `, page ${citation.page}`}
        {citation.effective_date !== null && `, of ${citation.effective_date}`}
      </p>
    </div>
  );
}
