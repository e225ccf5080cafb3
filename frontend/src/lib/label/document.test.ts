import { describe, expect, it } from "vitest";
import type { Assignment, Suggestion } from "@/api/types";
import { DEFAULT_SCHEMA } from "@/lib/captions";
import { adoptSku, fieldOf, fillFrom, firstDoubt, open, setUnknown, setValue, suggestionUsed, toDraft, toValues, unconfirmed, validate } from "./document";

const { fields } = DEFAULT_SCHEMA;
const words = { missing: "missing", boxesRequired: "draw" };

function assignment(confidence: number, draft: Assignment["draft"] = null, flags: string[] = []): Assignment {
  const proposed = { sku: "WATER-1", category: "饮用水", spec: "500ml*6瓶/箱", quantity: "1箱", condition: "完好无损" };
  const suggestion = { fields: Object.fromEntries(Object.entries(proposed).map(([key, value]) => [key, { value, confidence, source: "model" }])) } as unknown as Suggestion;
  Object.assign(suggestion, { candidates: [{ sku_code: "WATER-1", unit: "箱" }], flags, attributes: {} });
  return { suggestion, draft } as unknown as Assignment;
}

describe("opening a photo", () => {
  it("prefills what the machine is sure of, in canonical form", () => {
    const work = assignment(0.97);
    const document = open(fields, work);
    expect(fieldOf(document, "spec")).toMatchObject({ value: "500ml×6瓶/箱", origin: "machine" });
    expect(firstDoubt(document, fields, work.suggestion)).toBeNull();
    expect(validate(document, fields, { boxes_required: false }, words)).toEqual([]);
    expect(suggestionUsed(document, fields, work.suggestion)).toEqual({ sku: true, category: true, spec: true, quantity: true, condition: true });
  });

  it("prefills nothing of which the machine is unsure, and starts there", () => {
    const work = assignment(0.3);
    const document = open(fields, work);
    expect(toValues(document, fields)).toEqual({});
    expect(firstDoubt(document, fields, work.suggestion)).toBe("sku");
  });

  it("goes on from a draft exactly as it was left", () => {
    const before = setUnknown(setValue(open(fields, assignment(0.97)), "quantity", "3箱"), "condition", "反光");
    const again = open(fields, assignment(0.97, toDraft(before, fields, 12)));
    expect(toValues(again, fields)).toEqual(toValues(before, fields));
    expect(fieldOf(again, "quantity").origin).toBe("person");
    expect(fieldOf(again, "sku").origin).toBe("machine");
  });
});

describe("attributes", () => {
  const work = assignment(0.97);
  const said = (value: string, confidence: number) => ({ value, confidence, source: "minigpt" });
  Object.assign(work.suggestion ?? {}, { attributes: { package_type: said("carton", 0.98), stack_level: said("3", 0.9) } });

  it("stand as the machine proposes them where it is sure", () => {
    expect(open(fields, work).attributes).toEqual({ package_type: "carton", stack_level: 3 });
    const unsure = { ...work.suggestion, attributes: { package_type: said("carton", 0.98), stack_level: said("3", 0.8) } } as Suggestion;
    expect(open(fields, { ...work, suggestion: unsure }).attributes).toEqual({ package_type: "carton" });
    expect(open(fields, { ...work, suggestion: null }).attributes).toEqual({});
  });

  it("stay as a person left them", () => {
    const left = { ...open(fields, work), attributes: { package_type: "tray" as const, stack_level: null } };
    expect(open(fields, { ...work, draft: toDraft(left, fields, 3) }).attributes).toEqual(left.attributes);
    expect(fillFrom(left, fields, work.suggestion).attributes).toEqual(left.attributes);
    expect(fillFrom({ ...left, attributes: {} }, fields, work.suggestion).attributes).toEqual({ package_type: "carton", stack_level: 3 });
  });
});

describe("a suggestion that comes later", () => {
  const { suggestion } = assignment(0.97);
  const blank = open(fields, { ...assignment(0.97), suggestion: null });

  it("fills what is empty and leaves what was entered", () => {
    const document = fillFrom(setUnknown(setValue(blank, "quantity", "3箱"), "condition", "反光"), fields, suggestion);
    expect(toValues(document, fields)).toEqual({ sku: "WATER-1", category: "饮用水", spec: "500ml×6瓶/箱", quantity: "3箱", condition: { unknown: "反光" } });
    expect(fieldOf(document, "sku").origin).toBe("machine");
    expect(document.unit).toBe("箱");
  });

  it("says nothing of another SKU's category and spec", () => {
    expect(toValues(fillFrom(setValue(blank, "sku", "TEA-2"), fields, suggestion), fields)).toEqual({ sku: "TEA-2", quantity: "1箱", condition: "完好无损" });
    expect(toValues(fillFrom(setValue(blank, "sku", "WATER-1"), fields, suggestion), fields)).toMatchObject({ sku: "WATER-1", category: "饮用水", spec: "500ml×6瓶/箱" });
  });

  it("fills nothing where there is none", () => {
    expect(fillFrom(blank, fields, null)).toEqual(blank);
  });
});

describe("a photo of which the machine read quantity and condition", () => {
  const read = (quantity: string | null, confidence: number): Assignment => {
    const work = assignment(0.97);
    const source = quantity === null ? "low_confidence" : "minigpt";
    Object.assign(work.suggestion?.fields ?? {}, { quantity: { value: quantity, confidence, source } });
    return work;
  };

  it("has nothing prefilled where it was unsure, and is not said to have used it", () => {
    const work = read(null, 0.31);
    const document = open(fields, work);
    expect(fieldOf(document, "quantity")).toMatchObject({ value: "", origin: "none" });
    expect(firstDoubt(document, fields, work.suggestion)).toBe("quantity");
    expect(suggestionUsed(setValue(document, "quantity", "3箱"), fields, work.suggestion)).toEqual({ sku: true, category: true, spec: true, condition: true });
  });

  it("is done with one confirmation of what is doubtful, which counts as used", () => {
    const work = read("3箱", 0.7);
    const document = open(fields, work);
    expect(unconfirmed(document, fields, work.suggestion).map(({ key }) => key)).toEqual(["quantity"]);
    const confirmed = setValue(document, "quantity", "3箱");
    expect(unconfirmed(confirmed, fields, work.suggestion)).toEqual([]);
    expect(suggestionUsed(confirmed, fields, work.suggestion).quantity).toBe(true);
    expect(suggestionUsed(setValue(document, "quantity", "4箱"), fields, work.suggestion).quantity).toBe(false);
  });
});

describe("editing", () => {
  it("brings category and spec along with a SKU; of the rest only the unit in which the machine counted changes", () => {
    const document = adoptSku(open(fields, assignment(0.97)), fields, { code: "TEA-2", category: "茶饮", spec: "250ml*24", unit: "瓶" }, "person");
    expect(toValues(document, fields)).toEqual({ sku: "TEA-2", category: "茶饮", spec: "250ml×24", quantity: "1瓶", condition: "完好无损" });
    expect(fieldOf(document, "spec").origin).toBe("catalog");
    expect([fieldOf(document, "quantity").origin, fieldOf(document, "condition").origin]).toEqual(["machine", "machine"]);
    const said = adoptSku(setValue(open(fields, assignment(0.97)), "quantity", "1箱"), fields, { code: "TEA-2", category: "茶饮", spec: "250ml*24", unit: "瓶" }, "person");
    expect(toValues(said, fields).quantity, "what a person said stays").toBe("1箱");
  });

  it("keeps the typed value under an unknown, so that it can be taken back", () => {
    const unknown = setUnknown(setValue(open(fields, assignment(0)), "sku", "A-1"), "sku", "反光");
    expect(toValues(unknown, fields).sku).toEqual({ unknown: "反光" });
    expect(fieldOf(setUnknown(unknown, "sku", null), "sku").value).toBe("A-1");
  });

  it("says what is missing, what cannot be read, and that a box is wanted", () => {
    const document = setValue(setValue(open(fields, assignment(0.97)), "quantity", "很多"), "sku", "");
    expect(validate(document, fields, { boxes_required: true }, words).map((error) => error.field)).toEqual(["sku", "quantity", "boxes"]);
  });
});

describe("doubts", () => {
  const keys = (document: ReturnType<typeof open>, work: Assignment) => unconfirmed(document, fields, work.suggestion).map((field) => field.key);

  it("are guesses without much confidence, the SKU standing for what it brought along", () => {
    const work = assignment(0.7);
    const document = open(fields, work);
    expect(keys(document, work)).toEqual(["sku", "quantity", "condition"]);
    expect(firstDoubt(document, fields, work.suggestion)).toBe("sku");
  });

  it("are confident guesses too, where the evidence disagrees", () => {
    const work = assignment(0.97, null, ["evidence_disagrees"]);
    expect(keys(open(fields, work), work)).toEqual(["sku"]);
    expect(keys(open(fields, assignment(0.97)), assignment(0.97))).toEqual([]);
  });

  it("are over once a person has chosen the very same", () => {
    const work = assignment(0.97, null, ["evidence_disagrees"]);
    const document = adoptSku(open(fields, work), fields, { code: "WATER-1", category: "饮用水", spec: "500ml×6瓶/箱", unit: "箱" }, "person");
    expect(keys(document, work)).toEqual([]);
    expect(suggestionUsed(document, fields, work.suggestion).sku).toBe(true);
  });
});

describe("a bare number", () => {
  it("is counted in the catalog's unit, from the suggestion and from a chosen SKU", () => {
    const document = setValue(open(fields, assignment(0.97)), "quantity", "3");
    expect(toValues(document, fields).quantity).toBe("3箱");
    const other = adoptSku(document, fields, { code: "TEA-2", category: "茶饮", spec: "250ml", unit: "瓶" }, "person");
    expect(toValues(other, fields).quantity).toBe("3瓶");
  });
});
