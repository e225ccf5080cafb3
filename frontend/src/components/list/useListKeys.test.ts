import { describe, expect, it } from "vitest";
import { step } from "./useListKeys";

describe("arrows in a list", () => {
  it("go from row to row and stop at the ends", () => {
    expect(step("ArrowDown", -1, 3, 1)).toBe(0);
    expect(step("ArrowDown", 0, 3, 1)).toBe(1);
    expect(step("ArrowDown", 2, 3, 1)).toBeNull();
    expect(step("ArrowUp", 0, 3, 1)).toBeNull();
    expect(step("ArrowUp", -1, 3, 1)).toBeNull();
  });
  it("go sideways among tiles only", () => {
    expect(step("ArrowRight", 0, 9, 4)).toBe(1);
    expect(step("ArrowDown", 1, 9, 4)).toBe(5);
    expect(step("ArrowRight", 0, 9, 1)).toBeNull();
  });
  it("leaves other keys and empty lists alone", () => {
    expect(step("a", 0, 3, 1)).toBeNull();
    expect(step("ArrowDown", -1, 0, 1)).toBeNull();
  });
});
