/** Finds a citation's quote within the passage it was taken from. */

import type { Citation } from "./transcript";

export interface QuotedPassage {
  before: string;
  quote: string;
  after: string;
}

/** The passage in three parts. Where the quote is not in it word for word, the quote stands alone. */
export function quoteInPassage({ passage, quote, start, end }: Citation): QuotedPassage {
  const span = spanAt(passage, quote, start, end) ?? spanOf(passage, quote) ?? spanAcrossSpaces(passage, quote);
  if (!span) return { before: "", quote: quote || passage, after: "" };
  return { before: passage.slice(0, span[0]), quote: passage.slice(...span), after: passage.slice(span[1]) };
}

type Span = [start: number, end: number];

function spanAt(passage: string, quote: string, start: number, end: number): Span | null {
  return quote && passage.slice(start, end) === quote ? [start, end] : null;
}

function spanOf(passage: string, quote: string): Span | null {
  const start = quote ? passage.indexOf(quote) : -1;
  return start < 0 ? null : [start, start + quote.length];
}

/** Line breaks and indents of the document may stand where the quote has single spaces. */
function spanAcrossSpaces(passage: string, quote: string): Span | null {
  const words = quote.split(/\s+/).filter(Boolean);
  if (words.length === 0) return null;
  const pattern = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\\s+");
  const match = new RegExp(pattern, "i").exec(passage);
  return match ? [match.index, match.index + match[0].length] : null;
}
