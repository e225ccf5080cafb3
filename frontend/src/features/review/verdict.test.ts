import { describe, expect, it } from "vitest";
import type { DisputeDetail, SchemaField } from "@/api/types";
import { boxOverlap, boxPairs, cellOf, columnsOf, recordOf, settled } from "./verdict";

const field = (key: string, kind: SchemaField["kind"]): SchemaField => ({ key, kind, label: { zh: key, en: key, ja: key }, required: true, weight: 1, options: [], aliases: [] });
const fields = [field("sku", "sku"), field("quantity", "quantity"), field("condition", "condition")];
const answer = (label: string, sku: string, quantity: string) => ({ label, annotation: 1, fields: { sku: sku, quantity: quantity, condition: { unknown: label } }, boxes: [], attributes: {}, caption: "", active_seconds: 1, suggestion_shown: true });
const dispute = {
  answers: [answer("A", "X-1", "1箱"), answer("B", "X-2", "1箱")],
  suggestion: null,
  catalog: { "X-2": { code: "X-2", spec: "500ml" } },
  previous_decision: null,
} as unknown as DisputeDetail;

describe("the reviewer's table", () => {
  it("settles what everybody agrees on, unknowns included", () => {
    expect(Object.keys(settled(dispute, fields))).toEqual(["quantity", "condition"]);
  });

  it("holds answers against the record of the chosen code, else of the first one the catalog knows", () => {
    expect(recordOf(dispute, fields, {})?.code).toBe("X-2");
    expect(recordOf(dispute, fields, { sku: "nowhere" })?.code).toBe("X-2");
  });

  it("has a column for each answer, the machine and the catalog", () => {
    expect(columnsOf(dispute)).toEqual(["a", "b", "machine", "wms"]);
    expect(cellOf(dispute, fields[0] ?? field("", "text"), "wms", dispute.catalog["X-2"])).toBe("X-2");
  });

  it("compares boxes photo by photo", () => {
    const box = { capture: 1, x: 0, y: 0, w: 10, h: 10 };
    expect(boxOverlap([box], [box])).toBe(1);
    expect(boxOverlap([box], [{ ...box, capture: 2 }])).toBe(0);
    expect(boxOverlap([], [])).toBeNull();
  });

  it("pairs each box once, the best first; what has no counterpart counts nothing", () => {
    const box = (x: number, capture = 1) => ({ capture, x, y: 0, w: 10, h: 10 });
    expect(boxPairs([box(0), box(20)], [box(25), box(0)])).toEqual([1, 1 / 3]);
    expect(boxPairs([box(0), box(1)], [box(0)])).toEqual([1, 0]);
    expect(boxPairs([box(0)], [box(0, 2)])).toEqual([0, 0]);
  });
});
