import { expect, test } from "vitest";
import { quoteInPassage } from "../src/passage";

const base = { number: 1, title: "", heading_path: [], source: "", page: null, effective_date: null };

test.each([
  ["at its offsets, though the words stand there twice", "one two one two", "two", 12, 15, ["one two one ", "two", ""]],
  ["by its words, where offsets count from the document", "one two three", "two", 900, 903, ["one ", "two", " three"]],
  ["across the document's line breaks", "one\n  two three", "one two", 0, 0, ["", "one\n  two", " three"]],
  ["with characters that mean something to a pattern", "a (b)\n[c]*", "(b) [c]*", 0, 0, ["a ", "(b)\n[c]*", ""]],
  ["on its own, where the passage lacks it", "one two", "four", 0, 4, ["", "four", ""]],
  ["as the whole passage, where it is empty", "one two", "", 0, 0, ["", "one two", ""]],
])("a quote is found %s", (_, passage, quote, start, end, [before, found, after]) => {
  expect(quoteInPassage({ ...base, passage, quote, start, end })).toEqual({ before, quote: found, after });
});
