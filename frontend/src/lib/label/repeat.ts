/**
 * "As on the last photo", by one key. What neither the machine nor the catalog tells of this photo (how many, in what condition) is
 * not prefilled: a default that stands there already is accepted by habit, and two people accepting it would count as two who looked.
 * The key costs one stroke and is a statement about this photo. It fills empty fields only, and never repeats a damage, which
 * belongs to one item and is said by its digit.
 */
import type { FieldValues, SchemaField } from "@/api/types";
import { readCondition } from "@/lib/caption";
import { isUnknown } from "@/lib/captions";
import { checkIn, fieldOf, setValue, type LabelDocument } from "./document";
import { recount } from "./quantity";

/** What is remembered of the last photo that a person submitted. */
export interface Last {
  fields: FieldValues;
  unit: string;
}

const OF_THE_SKU = new Set(["sku", "category", "spec"]);

function repeatedValue(field: SchemaField, last: Last, unit: string): string {
  const value = last.fields[field.key];
  if (OF_THE_SKU.has(field.kind) || value === undefined || isUnknown(value)) return "";
  if (field.kind === "condition") return readCondition(value)?.grade === 1 ? value : "";
  return field.kind === "quantity" ? recount(value, last.unit, unit) : value;
}

/** What the key would fill now, by field. */
export function repeatable(document: LabelDocument, fields: readonly SchemaField[], last: Last | null): Record<string, string> {
  if (!last) return {};
  return Object.fromEntries(
    fields.flatMap((field) => {
      const state = fieldOf(document, field.key);
      if (state.value !== "" || state.unknown) return [];
      const value = repeatedValue(field, last, document.unit);
      return value === "" || checkIn(document, field, value).error ? [] : [[field.key, value]];
    }),
  );
}

export function repeat(document: LabelDocument, fields: readonly SchemaField[], last: Last | null): LabelDocument {
  return Object.entries(repeatable(document, fields, last)).reduce((next, [key, value]) => setValue(next, key, value, "repeat"), document);
}
