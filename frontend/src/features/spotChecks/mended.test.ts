import { describe, expect, test } from "vitest";
import type { FieldValues, SchemaField } from "@/api/types";
import { mended } from "./mended";

const field = (key: string, kind: SchemaField["kind"]) => ({ key, kind, label: { zh: key, en: key, ja: key }, required: true, weight: 1, options: [] }) as unknown as SchemaField;
const FIELDS = [field("sku", "sku"), field("quantity", "quantity"), field("condition", "condition")];
const DECIDED: FieldValues = { sku: "WASH-1", quantity: "2箱", condition: "完好无损" };

describe("what a checker makes of a decided caption", () => {
  test("what was only written otherwise is no change", () => {
    expect(mended(FIELDS, DECIDED, { ...DECIDED, quantity: "两箱" }, "missing")).toEqual({ values: DECIDED, problems: {}, differs: false });
  });

  test("another value is given in its canonical form", () => {
    const { values, problems, differs } = mended(FIELDS, DECIDED, { ...DECIDED, quantity: "三箱" }, "missing");
    expect([values.quantity, problems, differs]).toEqual(["3箱", {}, true]);
  });

  test("what cannot be read or is missing is named", () => {
    const { problems, differs } = mended(FIELDS, DECIDED, { sku: "WASH-1", quantity: "很多", condition: "" }, "missing");
    expect(Object.keys(problems)).toEqual(["quantity", "condition"]);
    expect(problems.condition).toBe("missing");
    expect(differs).toBe(true);
  });

  test("a field that cannot be seen is a change from a value, and none from itself", () => {
    const unseen: FieldValues = { ...DECIDED, condition: { unknown: "反光" } };
    expect(mended(FIELDS, DECIDED, unseen, "missing")).toMatchObject({ problems: {}, differs: true });
    expect(mended(FIELDS, unseen, unseen, "missing").differs).toBe(false);
  });
});
