import fc from "fast-check";
import { expect, it } from "vitest";
import { begin, record, redo, seal, undo } from "./undo";

it("goes back to the start and forth to the end", () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 100 }), (steps) => {
      const distinct = steps.filter((step, index) => step !== (index === 0 ? 0 : steps[index - 1]));
      let history = begin(0);
      for (const step of distinct) history = record(history, step);
      const end = history.present;
      for (let n = 0; n < 150; n++) history = undo(history);
      expect(history.present).toBe(0);
      for (let n = 0; n < 150; n++) history = redo(history);
      expect(history.present).toBe(end);
    }),
  );
});

it("takes typing in one field as one step, until it is sealed", () => {
  let history = begin("");
  for (const text of ["a", "ab", "abc"]) history = record(history, text, "sku");
  history = record(seal(history), "abcd", "sku");
  expect(undo(history).present).toBe("abc");
  expect(undo(undo(history)).present).toBe("");
});

it("forgets the undone when something new is done", () => {
  const history = record(undo(record(begin(1), 2)), 3);
  expect(redo(history).present).toBe(3);
});
