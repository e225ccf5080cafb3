import { describe, expect, it } from "vitest";
import { DEFAULT_SCHEMA } from "@/lib/captions";
import { PRESETS, add, addEmpty, change, differs, has, move, open, place, readOptions, remove, renamesOf, sampleOf, toDefault, toSchema } from "./schemaDraft";

const keys = (draft: ReturnType<typeof open>) => draft.fields.map((field) => field.key);
const start = () => open(DEFAULT_SCHEMA.fields);
const idOf = (draft: ReturnType<typeof open>, key: string) => draft.fields.find((field) => field.key === key)?.id ?? "";

describe("a schema draft", () => {
  it("is what it was opened with", () => {
    expect(toSchema(start())).toEqual(DEFAULT_SCHEMA);
    expect(differs(start(), DEFAULT_SCHEMA.fields)).toBe(false);
    expect(renamesOf(start())).toEqual({});
  });

  it("tells a rename from a new field", () => {
    const draft = start();
    const renamed = change(draft, idOf(draft, "spec"), { key: "size" });
    expect(renamesOf(renamed)).toEqual({ spec: "size" });
    const added = add(draft, PRESETS.expiry);
    expect(renamesOf(change(added, idOf(added, "expiry"), { key: "best_before" }))).toEqual({});
    expect(renamesOf(change(renamed, idOf(renamed, "size"), { key: "spec" }))).toEqual({});
  });

  it("gives a second field of a kind a key of its own", () => {
    const twice = addEmpty(addEmpty(start()));
    expect(keys(twice).slice(-2)).toEqual(["field", "field_2"]);
    expect(has(add(start(), PRESETS.origin), PRESETS.origin)).toBe(true);
    expect(has(start(), PRESETS.origin)).toBe(false);
  });

  it("moves within its bounds", () => {
    const draft = start();
    expect(keys(move(draft, idOf(draft, "sku"), 2)).slice(0, 3)).toEqual(["category", "spec", "sku"]);
    expect(keys(move(draft, idOf(draft, "condition"), 0))[0]).toBe("condition");
    expect(move(draft, idOf(draft, "sku"), -1)).toBe(draft);
    expect(move(draft, idOf(draft, "condition"), 99)).toBe(draft);
    expect(keys(move(move(draft, idOf(draft, "sku"), 1), idOf(draft, "sku"), 0))).toEqual(keys(draft));
  });

  it("keeps options on choices only", () => {
    const draft = addEmpty(start());
    const id = idOf(draft, "field");
    const choice = change(draft, id, { kind: "choice", options: readOptions(" 纸箱 \n\n塑料袋\n") });
    expect(choice.fields.at(-1)?.options).toEqual(["纸箱", "塑料袋"]);
    expect(change(choice, id, { kind: "text" }).fields.at(-1)?.options).toEqual([]);
  });

  it("goes back to the default without losing what fields were called", () => {
    const draft = start();
    const changed = remove(change(draft, idOf(draft, "sku"), { weight: 0.9 }), idOf(draft, "spec"));
    const back = toDefault(changed);
    expect(toSchema(back)).toEqual(DEFAULT_SCHEMA);
    expect(renamesOf(back)).toEqual({});
  });

  it("puts each objection at its input", () => {
    const error = (field: string, message: string) => ({ field, code: "x", message });
    const placed = place([error("schema.fields.2.label.zh", "taken"), error("schema.fields.0.key", "bad"), error("schema.fields.0.aliases.1", "long"), error("schema.fields", "no weight"), error("renames", "odd")]);
    expect(placed.at).toEqual({ "2.label.zh": "taken", "0.key": "bad", "0.aliases": "long" });
    expect(placed.whole).toEqual(["no weight", "odd"]);
  });

  it("has a sample for every field", () => {
    for (const field of [...DEFAULT_SCHEMA.fields, PRESETS.expiry, PRESETS.origin]) expect(sampleOf(field)).not.toBe("");
  });
});
