import { describe, expect, it } from "vitest";
import { isTicked, NOTHING, sizeOf, toggled, wanted } from "./selection";

describe("a selection of tasks", () => {
  const sight = [1, 2, 3];
  it("ticks and unticks", () => {
    const two = toggled(toggled(NOTHING, [1, 2], true, sight), [3], true, sight);
    const one = toggled(two, [1, 2], false, sight);
    expect([...(one.all ? [] : one.ids)]).toEqual([3]);
    expect(sizeOf(one)).toBe(1);
    expect(isTicked(one, 3)).toBe(true);
    expect(isTicked(one, 1)).toBe(false);
  });
  it("unticking one of all leaves the others that are in sight", () => {
    const left = toggled({ all: true }, [2], false, sight);
    expect(left).toEqual({ all: false, ids: new Set([1, 3]) });
  });
  it("asks for numbers, or for the filter and nothing of the page's order", () => {
    expect(wanted(toggled(NOTHING, [7], true, sight), { state: "ready" })).toEqual({ ids: [7] });
    expect(wanted({ all: true }, { state: "ready", batch: 4, sort: "oldest" })).toEqual({ state: "ready", batch: 4 });
  });
});
