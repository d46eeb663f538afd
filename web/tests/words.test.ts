import { expect, test } from "vitest";
import { endReasonNamed, endReasons } from "../src/state";
import { endingWords, placeWords } from "../src/words";

test.each([
  [1, "You are next."],
  [2, "You are number 2 in line."],
])("place %i in line", (position, words) => {
  expect(placeWords(position)).toBe(words);
});

test("every reason for an end has a title", () => {
  expect(endReasons.filter((reason) => !endingWords({ reason, text: "" }).title)).toEqual([]);
});

test("the server's own words on an end are kept", () => {
  expect(endingWords({ reason: "idle", text: "Bye." }).detail).toBe("Bye.");
});

test("a reason that the page does not know is an error", () => {
  expect(endReasonNamed("gone fishing")).toBe("error");
});
