import { describe, expect, test } from "vitest";
import type { SchemaField, Suggestion } from "@/api/types";
import { findings } from "@/lib/captions";
import { firstMendable, inTurn } from "./findings";
import { boxesInOneView, worldOf } from "./world";

const field = (key: string, kind: SchemaField["kind"]) => ({ key, kind, label: { zh: key, en: key, ja: key }, required: true, weight: 1, options: [] }) as unknown as SchemaField;
const FIELDS = [field("code", "sku"), field("kind_of", "category"), field("pack", "spec"), field("count", "quantity")];
const RECORD = { code: "WASH-1", category: "个人护理", spec: "500ml×6瓶/箱", unit: "箱" };
const read = (...codes: (string | null)[]) => ({ barcodes: codes.map((sku_code) => ({ text: "690", format: "EAN13", polygon: [], sku_code })) }) as unknown as Suggestion;
const VALUES = { code: "WASH-1", kind_of: "个人护理", pack: "0.5L×6瓶/箱", count: "2箱" };
const found = (values: Record<string, string>, ...world: Parameters<typeof worldOf> extends [unknown, ...infer Rest] ? Rest : never) =>
  findings(values, { fields: FIELDS }, worldOf(FIELDS, ...world)).map(({ field: at, rule, fix }) => [at, rule, fix]);

describe("the caption against the world", () => {
  test("what agrees is not named", () => {
    expect(found(VALUES, RECORD, 2, read("WASH-1", "TEA-9", null))).toEqual([]);
  });

  test("each mismatch has its field and its mend", () => {
    expect(found({ ...VALUES, kind_of: "饮料", pack: "250ml", count: "3箱" }, RECORD, 2, read("TEA-9"))).toEqual([
      ["code", "barcode_differs", "TEA-9"],
      ["kind_of", "catalog_differs", "个人护理"],
      ["pack", "catalog_differs", "500ml×6瓶/箱"],
      ["count", "boxes_differ", "2箱"],
    ]);
  });

  test("what was weighed is held against the count in the SKU's own unit", () => {
    const record = { ...RECORD, weight_g: 3400 };
    expect(found({ ...VALUES, count: "2箱" }, record, 0, null, [{ weight_g: null }, { weight_g: 10150 }])).toEqual([["count", "weight_differs", "3箱"]]);
    expect(found({ ...VALUES, count: "2瓶" }, record, 0, null, [{ weight_g: 10150 }])).toEqual([]);
    expect(found({ ...VALUES, count: "2箱" }, record, 0, null, [{ weight_g: null }])).toEqual([]);
    expect(found({ ...VALUES, count: "2箱" }, RECORD, 0, null, [{ weight_g: 10150 }])).toEqual([]);
  });

  test("boxes on several views are not counted", () => {
    expect([[], [1], [1, 1], [1, 1, 2]].map((views) => boxesInOneView(views.map((capture) => ({ capture }))))).toEqual([0, 1, 2, 0]);
  });

  test("without a record, boxes or a known barcode nothing is said", () => {
    expect(found({ ...VALUES, kind_of: "饮料", pack: "250ml" }, undefined, 0, null)).toEqual([]);
    expect(found({ ...VALUES, count: "3箱" }, { ...RECORD, category: "", spec: "" }, 0, read(null))).toEqual([]);
  });

  test("what reads badly is mended before what somebody may leave as it is", () => {
    const values = { ...VALUES, kind_of: "某种", pack: "250ml", count: "两箱" };
    const all = findings(values, { fields: FIELDS }, worldOf(FIELDS, RECORD, 3, null));
    expect(inTurn(all).map(({ rule }) => rule)).toEqual(["numeral", "catalog_differs", "catalog_differs", "boxes_differ", "vague"]);
    expect(firstMendable(all)?.fix).toBe("2箱");
    expect(firstMendable(all.filter(({ fix }) => fix === null))).toBeUndefined();
  });
});
