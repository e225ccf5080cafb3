import fc from "fast-check";
import { expect, it } from "vitest";
import { linear, path, ticks } from "./scale";

it("covers every value with a few rising ticks from 0", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1e9, noNaN: true }), (max) => {
      const all = ticks(max);
      expect(all[0]).toBe(0);
      expect(all.at(-1)).toBeGreaterThanOrEqual(max * (1 - 1e-9));
      expect(all.length).toBeLessThanOrEqual(8);
    }),
  );
});

it("draws lines with gaps", () => {
  expect(path([[0, 0], [1, 1], null, [2, 2], [3, 3]])).toBe("M0.0 0.0L1.0 1.0M2.0 2.0L3.0 3.0");
  expect(linear([0, 10], [100, 0])(5)).toBe(50);
});
