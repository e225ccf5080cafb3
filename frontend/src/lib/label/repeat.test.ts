import { describe, expect, it } from "vitest";
import type { Assignment } from "@/api/types";
import { DEFAULT_SCHEMA } from "@/lib/captions";
import { adoptSku, fieldOf, open, setUnknown, setValue, toValues, type LabelDocument } from "./document";
import { countOf, recount, withUnit } from "./quantity";
import { repeat, repeatable, type Last } from "./repeat";

const { fields } = DEFAULT_SCHEMA;
const empty = open(fields, { suggestion: null, draft: null } as unknown as Assignment);
const of = (code: string, unit: string): LabelDocument => adoptSku(empty, fields, { code, category: "茶饮", spec: "250ml", unit }, "person");
const last: Last = { fields: { sku: "TEA-1", category: "水", quantity: "2盒", condition: "完好无损" }, unit: "盒" };

describe("quantities", () => {
  it.each([
    ["3", "盒", "3盒"],
    ["三", "盒", "3盒"],
    ["3箱", "盒", "3箱"],
    ["1箱3瓶", "盒", "1箱3瓶"],
    ["3", "", "3"],
    ["很多", "盒", "很多"],
    ["", "盒", ""],
  ])("%s counted in %s is %s", (typed, unit, said) => expect(withUnit(typed, unit)).toBe(said));
  it("change their unit with the SKU only where they had the catalog's", () => {
    expect(recount("2盒", "盒", "瓶")).toBe("2瓶");
    expect(recount("2箱", "盒", "瓶")).toBe("2箱");
    expect(recount("2盒", "盒", "")).toBe("2盒");
  });
  it("are numbers where they are simple", () => expect([countOf("3盒"), countOf("1箱3瓶"), countOf("")]).toEqual([3, null, null]));
});

describe("as on the last photo", () => {
  it("fills what is empty, in this SKU's unit, and marks it", () => {
    const done = repeat(of("MILK-9", "瓶"), fields, last);
    expect(toValues(done, fields)).toEqual({ sku: "MILK-9", category: "茶饮", spec: "250ml", quantity: "2瓶", condition: "完好无损" });
    expect(fieldOf(done, "quantity").origin).toBe("repeat");
  });

  it("writes over nothing that is there, and never says what the SKU is", () => {
    const typed = setUnknown(setValue(empty, "quantity", "5箱"), "condition", "反光");
    expect(repeat(typed, fields, last)).toBe(typed);
    expect(Object.keys(repeatable(empty, fields, last))).toEqual(["quantity", "condition"]);
  });

  it("repeats no damage and nothing that could not be seen", () => {
    const damaged: Last = { ...last, fields: { quantity: { unknown: "反光" }, condition: "破损，左上角" } };
    expect(repeatable(of("MILK-9", "瓶"), fields, damaged)).toEqual({});
  });

  it("has nothing to repeat on the first photo", () => expect(repeatable(empty, fields, null)).toEqual({}));
});
