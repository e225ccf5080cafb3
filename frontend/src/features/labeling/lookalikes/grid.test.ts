import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Assignment, Project, SchemaField } from "@/api/types";
import { begin, confirm, errorsOf, guessesOf, moveCursor, setCommon, setOwn, toggle, valueOf } from "./grid";
import { shareSeconds } from "./share";

const field = (key: string, kind: SchemaField["kind"]) => ({ key, kind, label: { zh: key, en: key, ja: key }, required: true, weight: 0.2, options: [], aliases: [] }) as unknown as SchemaField;
const fields = [field("sku", "sku"), field("category", "category"), field("spec", "spec"), field("quantity", "quantity"), field("condition", "condition")];
const project = { schema: { fields }, schema_version: 3 } as unknown as Project;
const alike = (id: number, draft: Record<string, string> | null = null): Assignment =>
  ({
    id,
    token: `t${id}`,
    draft: draft && { fields: { sku: "COLA", category: "饮料", spec: "330ml/罐", ...draft }, boxes: [], attributes: {} },
    suggestion: { fields: Object.fromEntries(Object.entries({ sku: "COLA", category: "饮料", spec: "330ml/罐" }).map(([key, value]) => [key, { value, confidence: 0.95, source: "catalog" }])), candidates: [{ sku_code: "COLA", unit: "罐" }], attributes: { package_type: { value: "can", confidence: 0.99, source: "minigpt" } } },
  }) as unknown as Assignment;

describe("look-alikes", () => {
  const three = [alike(1), alike(2), alike(3)];
  const filled = () => setCommon(setCommon(begin(fields, three), "quantity", "1箱"), "condition", "完好无损");

  it("begin with what the machine proposes for all", () => {
    const state = begin(fields, three);
    expect(state).toMatchObject({ common: { sku: "COLA", category: "饮料", spec: "330ml/罐", quantity: "" }, own: {} });
    expect(Object.keys(errorsOf(state, fields, alike(1), "missing"))).toEqual(["quantity", "condition"]);
    expect(errorsOf(filled(), fields, alike(1), "missing")).toEqual({});
  });

  it("let one differ, and be like the others again", () => {
    let state = setOwn(filled(), 2, "quantity", "3箱");
    expect([1, 2].map((id) => valueOf(state, id, "quantity"))).toEqual(["1箱", "3箱"]);
    expect(Object.keys(errorsOf(setOwn(state, 2, "quantity", "many?"), fields, alike(2), ""))).toEqual(["quantity"]);
    state = setOwn(state, 2, "quantity", "");
    expect(valueOf(state, 2, "quantity")).toBe("1箱");
    expect(setOwn(state, 2, "condition", "完好无损").own[2]).toEqual({});
  });

  const read = (id: number, quantity: string | null, confidence = 0.95): Assignment => {
    const one = alike(id);
    const fields = { ...one.suggestion?.fields, quantity: { value: quantity, confidence, source: quantity === null ? "low_confidence" : "minigpt" }, condition: { value: "完好无损", confidence, source: "minigpt" } };
    return { ...one, suggestion: { ...one.suggestion, flags: [], fields } } as unknown as Assignment;
  };

  it("have what the machine read on each, and wait for what it could not read", () => {
    const all = [read(1, "2罐"), read(2, "2罐"), read(3, "6罐"), read(4, null, 0.3)];
    const state = begin(fields, all);
    expect(state).toMatchObject({ common: { quantity: "2罐", condition: "完好无损" }, own: { 3: { quantity: "6罐" }, 4: { quantity: "", condition: "" } } });
    const missing = (one: typeof state) => all.map((alike) => Object.keys(errorsOf(one, fields, alike, "missing")));
    expect(missing(state)).toEqual([[], [], [], ["quantity", "condition"]]);
    const done = setOwn(setOwn(state, 4, "quantity", "1"), 4, "condition", "破损");
    expect(missing(done)).toEqual([[], [], [], []]);
    expect(confirm(done, project, all, 10, {}).map(({ body }) => [body.fields.quantity, body.suggestion_used.quantity, body.suggestion_used.condition])).toEqual([
      ["2罐", true, true],
      ["2罐", true, true],
      ["6罐", true, true],
      ["1罐", undefined, false],
    ]);
    // said of all by a person, it holds for that one too
    expect(missing(setCommon(setCommon(state, "quantity", "3罐"), "condition", "完好无损"))).toEqual([[], [], [], []]);
    expect(valueOf(setCommon(state, "quantity", "3罐"), 3, "quantity")).toBe("6罐");
  });

  it("tell which values are guesses, and which of them are doubtful", () => {
    const state = begin(fields, [read(1, "2罐"), read(2, "2罐", 0.7), read(3, null, 0.3)]);
    const same = { sku: "sure", category: "sure", spec: "sure" };
    expect(guessesOf(state, fields, read(1, "2罐"))).toEqual({ ...same, quantity: "sure", condition: "sure" });
    expect(guessesOf(state, fields, read(2, "2罐", 0.7))).toEqual({ ...same, quantity: "doubted", condition: "doubted" });
    expect(guessesOf(state, fields, read(3, null, 0.3))).toEqual(same);
    expect(guessesOf(setOwn(state, 2, "quantity", "5罐"), fields, read(2, "2罐", 0.7))).toEqual({ ...same, condition: "doubted" });
  });

  it("that come back keep what was given", () => {
    const state = begin(fields, [alike(1, { quantity: "1箱", condition: "破损" }), alike(2, { quantity: "1箱", condition: "完好无损" }), alike(3, { quantity: "2箱", condition: "完好无损" })]);
    expect(state.common).toMatchObject({ quantity: "1箱", condition: "完好无损" });
    expect(state.own).toEqual({ 1: { condition: "破损" }, 3: { quantity: "2箱" } });
  });

  it("are confirmed each for itself, with what of the guess was used and its share of the time", () => {
    const state = toggle(setOwn(filled(), 3, "quantity", "5箱"), 2);
    const answers = confirm(state, project, three, 10, { 3: 4 });
    expect(answers.map(({ assignment, body }) => [assignment.id, body.token, body.fields.quantity, body.active_seconds, body.schema_version])).toEqual([
      [1, "t1", "1箱", 3, 3],
      [3, "t3", "5箱", 7, 3],
    ]);
    expect(answers[0]?.body.suggestion_used).toEqual({ sku: true, category: true, spec: true });
    expect(answers[0]?.caption).toContain("COLA");
    expect(answers[0]?.body.attributes, "which nobody has seen here").toEqual({});
    const bare = confirm(setOwn(filled(), 1, "quantity", "24"), project, three, 9, {});
    expect(bare[0]?.body.fields.quantity, "as the catalog counts it").toBe("24罐");
    const other = confirm(setCommon(filled(), "spec", "500ml/瓶"), project, three, 9, {});
    expect(other[0]?.body.suggestion_used).toEqual({ sku: true, category: true, spec: false });
  });

  it("may be knocked out and taken in again", () => {
    const out = toggle(filled(), 1);
    expect([...out.knockedOut]).toEqual([1]);
    expect([...toggle(out, 1).knockedOut]).toEqual([]);
  });

  it("are walked over by arrows, which stop at the edges", () => {
    expect(["ArrowRight", "ArrowDown", "ArrowUp", "ArrowLeft"].map((key) => moveCursor(0, key, 7, 3))).toEqual([1, 3, 0, 0]);
    expect(moveCursor(5, "ArrowDown", 7, 3)).toBe(5);
  });
});

describe("the time of look-alikes", () => {
  it("is shared out to the tenth, none lost, nobody below their own", () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 600 }), { minLength: 1, maxLength: 20 }), fc.integer({ min: 0, max: 12_000 }), (tenths, more) => {
        const ids = tenths.map((_, index) => index);
        const own = Object.fromEntries(tenths.map((value, index) => [index, value / 10]));
        const total = (tenths.reduce((a, b) => a + b, 0) + more) / 10;
        const shares = shareSeconds(total, own, ids);
        expect(Math.round(Object.values(shares).reduce((a, b) => a + b * 10, 0))).toBe(Math.round(total * 10));
        for (const id of ids) expect(shares[id]).toBeGreaterThan((own[id] ?? 0) - 0.11);
        const evens = ids.map((id) => (shares[id] ?? 0) - (own[id] ?? 0));
        expect(Math.max(...evens) - Math.min(...evens)).toBeLessThan(0.21);
      }),
    ));
  it("counts the knocked-out ones to the others, and survives clocks that disagree", () => {
    expect(shareSeconds(12, { 9: 6 }, [1, 2])).toEqual({ 1: 6, 2: 6 });
    expect(shareSeconds(3, { 1: 4, 2: 2 }, [1, 2])).toEqual({ 1: 2, 2: 1 });
    expect(shareSeconds(3, {}, [])).toEqual({});
  });
});
