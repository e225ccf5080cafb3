import fc from "fast-check";
import { expect, it } from "vitest";
import { charDiff } from "./charDiff";

const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "×", "箱", "瓶", "1", "2") });

it("keeps the value whole", () => {
  fc.assert(fc.property(text, text, (a, b) => {
      expect(charDiff(a, b).map((piece) => piece.text).join("")).toBe(a);
    }),
  );
});

it("marks nothing between equals, and shares the same letters both ways", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(charDiff(a, a).every((piece) => piece.same)).toBe(true);
      const shared = (x: string, y: string) => charDiff(x, y).filter((piece) => piece.same).reduce((sum, piece) => sum + Array.from(piece.text).length, 0);
      expect(shared(a, b)).toBe(shared(b, a));
    }),
  );
});

it("finds the one digit that differs", () => {
  expect(charDiff("500ml×6瓶/箱", "500ml×8瓶/箱")).toEqual([
    { text: "500ml×", same: true },
    { text: "6", same: false },
    { text: "瓶/箱", same: true },
  ]);
});
