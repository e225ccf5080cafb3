/** What an annotator edits, as plain data; every change makes a new document, so that undo is a list. */
import type { Assignment, Attributes, Draft, FieldError, FieldValue, FieldValues, Project, SchemaField, Suggestion } from "@/api/types";
import { checkField } from "@/lib/caption";
import { isUnknown } from "@/lib/captions";
import type { Rect } from "@/lib/geometry/rect";

/** Below this a wrong prefill costs more than none: the field stays empty and its candidates open. */
export const PREFILL_FROM = 0.5;
/** Below this a prefilled field is a doubt, and the focus goes there first. */
export const SURE_FROM = 0.85;

/** machine: as proposed, untouched; catalog: filled by the chosen SKU; person: typed or chosen by hand */
export type Origin = "machine" | "catalog" | "person" | "none";

export interface FieldState {
  value: string;
  unknown: boolean;
  reason: string;
  origin: Origin;
}

export interface LabelBox extends Rect {
  id: string;
  capture: number;
}

export interface LabelDocument {
  fields: Record<string, FieldState>;
  boxes: LabelBox[];
  attributes: Attributes;
}

const EMPTY: FieldState = { value: "", unknown: false, reason: "", origin: "none" };

let lastBox = 0;
export const newBoxId = () => `n${++lastBox}`;

function prefilled(field: SchemaField, suggestion: Suggestion | null): FieldState {
  const proposed = suggestion?.fields[field.key];
  if (!proposed?.value || (proposed.confidence !== null && proposed.confidence < PREFILL_FROM)) return EMPTY;
  return { ...EMPTY, value: checkField(field, proposed.value).value, origin: "machine" };
}

export function open(fields: readonly SchemaField[], assignment: Assignment): LabelDocument {
  const { draft } = assignment;
  const suggestion = assignment.suggestion;
  const states = fields.map((field): [string, FieldState] => {
    const kept = draft?.fields[field.key];
    if (!draft) return [field.key, prefilled(field, suggestion)];
    if (kept === undefined || kept === "") return [field.key, EMPTY];
    if (isUnknown(kept)) return [field.key, { ...EMPTY, unknown: true, reason: kept.unknown }];
    return [field.key, { ...EMPTY, value: kept, origin: kept === prefilled(field, suggestion).value ? "machine" : "person" }];
  });
  return {
    fields: Object.fromEntries(states),
    boxes: (draft?.boxes ?? []).map((box) => ({ ...box, id: newBoxId() })),
    attributes: draft?.attributes ?? {},
  };
}

export const fieldOf = (document: LabelDocument, key: string): FieldState => document.fields[key] ?? EMPTY;

const withField = (document: LabelDocument, key: string, state: FieldState): LabelDocument => ({ ...document, fields: { ...document.fields, [key]: state } });

export function setValue(document: LabelDocument, key: string, value: string, origin: Origin = "person"): LabelDocument {
  const before = fieldOf(document, key);
  if (before.value === value && !before.unknown && before.origin === origin) return document;
  return withField(document, key, { value, unknown: false, reason: "", origin: value === "" ? "none" : origin });
}

export function setUnknown(document: LabelDocument, key: string, reason: string | null): LabelDocument {
  const before = fieldOf(document, key);
  return withField(document, key, reason === null ? { ...before, unknown: false, reason: "" } : { ...before, unknown: true, reason });
}

export interface CatalogRecord {
  code: string;
  category: string;
  spec: string;
}

/** Choosing a SKU brings its category and spec along from the catalog, over whatever the machine had put there. */
export function adoptSku(document: LabelDocument, fields: readonly SchemaField[], record: CatalogRecord, origin: Origin): LabelDocument {
  let next = document;
  for (const field of fields) {
    if (field.kind === "sku") next = setValue(next, field.key, record.code, origin);
    if (field.kind === "category" && record.category) next = setValue(next, field.key, checkField(field, record.category).value, "catalog");
    if (field.kind === "spec" && record.spec) next = setValue(next, field.key, checkField(field, record.spec).value, "catalog");
  }
  return next;
}

/** The first field that needs a person: empty, or proposed without much confidence. */
export function firstDoubt(document: LabelDocument, fields: readonly SchemaField[], suggestion: Suggestion | null): string | null {
  for (const field of fields) {
    const state = fieldOf(document, field.key);
    if (state.unknown) continue;
    if (state.value === "" && field.required) return field.key;
    if (state.origin === "machine" && (suggestion?.fields[field.key]?.confidence ?? 0) < SURE_FROM) return field.key;
  }
  return null;
}

export interface Words {
  missing: string;
  boxesRequired: string;
}

/** What is wrong, by field key; "boxes" for the photo. Empty when the work can be submitted. */
export function validate(document: LabelDocument, fields: readonly SchemaField[], project: Pick<Project, "boxes_required">, words: Words): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of fields) {
    const state = fieldOf(document, field.key);
    if (state.unknown) continue;
    const { error } = checkField(field, state.value, words.missing);
    if (error) errors.push({ field: field.key, code: "invalid", message: error });
  }
  if (project.boxes_required && document.boxes.length === 0) errors.push({ field: "boxes", code: "boxes_required", message: words.boxesRequired });
  return errors;
}

/** The answer as it is sent; empty fields are left out. */
export function toValues(document: LabelDocument, fields: readonly SchemaField[]): FieldValues {
  return Object.fromEntries(
    fields.flatMap((field): [string, FieldValue][] => {
      const state = fieldOf(document, field.key);
      if (state.unknown) return [[field.key, { unknown: state.reason }]];
      const { value } = checkField(field, state.value);
      return value === "" ? [] : [[field.key, value]];
    }),
  );
}

export function toDraft(document: LabelDocument, fields: readonly SchemaField[], activeSeconds: number): Draft {
  return {
    fields: toValues(document, fields),
    boxes: document.boxes.map(({ capture, x, y, w, h }) => ({ capture, x, y, w, h })),
    attributes: document.attributes,
    active_seconds: activeSeconds,
  };
}

/** Which of the machine's proposals went into the answer as they were. */
export function suggestionUsed(document: LabelDocument, fields: readonly SchemaField[], suggestion: Suggestion | null): Record<string, boolean> {
  if (!suggestion) return {};
  return Object.fromEntries(
    fields.flatMap((field) => {
      const proposed = suggestion.fields[field.key]?.value;
      if (!proposed) return [];
      const state = fieldOf(document, field.key);
      return [[field.key, !state.unknown && checkField(field, state.value).value === checkField(field, proposed).value]];
    }),
  );
}
