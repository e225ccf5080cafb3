/** What an annotator edits, as plain data; every change makes a new document, so that undo is a list. */
import type { Assignment, Attributes, Draft, FieldError, FieldValue, FieldValues, PackageType, Project, SchemaField, Suggestion } from "@/api/types";
import { checkField, type Checked } from "@/lib/caption";
import { isUnknown } from "@/lib/captions";
import type { Rect } from "@/lib/geometry/rect";
import { recount, withUnit } from "./quantity";

/** Below this a wrong prefill costs more than none: the field stays empty and its candidates open. */
export const PREFILL_FROM = 0.5;
/** Below this a prefilled field is a doubt, and the focus goes there first. */
export const SURE_FROM = 0.85;
export const PACKAGES: readonly PackageType[] = ["carton", "bottle", "bag", "can", "cup", "tray", "pallet", "other"];

/**
 * machine: as proposed, untouched; catalog: filled by the chosen SKU; repeat: as on the last photo, by the person's key;
 * person: typed, chosen or confirmed by hand
 */
export type Origin = "machine" | "catalog" | "repeat" | "person" | "none";

export interface FieldState {
  value: string;
  unknown: boolean;
  reason: string;
  origin: Origin;
}

export interface LabelBox extends Rect {
  id: string;
  capture: number;
  /** kept from being moved by mistake; on this page only */
  locked?: boolean;
}

export interface LabelDocument {
  fields: Record<string, FieldState>;
  boxes: LabelBox[];
  attributes: Attributes;
  /** what the catalog counts the SKU in; a bare number takes it */
  unit: string;
}

const EMPTY: FieldState = { value: "", unknown: false, reason: "", origin: "none" };

let lastBox = 0;
export const newBoxId = () => `n${++lastBox}`;

function prefilled(field: SchemaField, suggestion: Suggestion | null): FieldState {
  const proposed = suggestion?.fields[field.key];
  if (!proposed?.value || (proposed.confidence !== null && proposed.confidence < PREFILL_FROM)) return EMPTY;
  return { ...EMPTY, value: checkField(field, proposed.value).value, origin: "machine" };
}

/** Attributes are not confirmed one by one: what the machine is less than sure of stays empty. */
export function proposedAttributes(suggestion: Suggestion | null): Attributes {
  const sure = (name: "package_type" | "stack_level") => {
    const proposed = suggestion?.attributes[name];
    return (proposed?.confidence ?? 0) >= SURE_FROM ? proposed?.value : null;
  };
  const [kind, level] = [packageType(sure("package_type")), sure("stack_level")];
  return { ...(kind && { package_type: kind }), ...(level && { stack_level: Number(level) }) };
}

export function packageType(value: string | null | undefined): PackageType | null {
  return PACKAGES.find((one) => one === value) ?? null;
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
    attributes: draft ? draft.attributes : proposedAttributes(suggestion),
    unit: unitOf(suggestion, skuOf(fields, Object.fromEntries(states))),
  };
}

/**
 * What a suggestion that comes later fills in: what is empty still. Where another SKU stands already, its category
 * and spec are not the suggestion's.
 */
export function fillFrom(document: LabelDocument, fields: readonly SchemaField[], suggestion: Suggestion | null): LabelDocument {
  const code = skuOf(fields, document.fields);
  const sku = fields.find((field) => field.kind === "sku");
  const other = code !== "" && sku !== undefined && checkField(sku, code).value !== prefilled(sku, suggestion).value;
  let next: LabelDocument = { ...document, attributes: { ...proposedAttributes(suggestion), ...document.attributes } };
  for (const field of fields) {
    const state = fieldOf(next, field.key);
    const proposed = prefilled(field, suggestion);
    if (state.value !== "" || state.unknown || proposed.value === "") continue;
    if (other && (field.kind === "category" || field.kind === "spec")) continue;
    next = withField(next, field.key, proposed);
  }
  return next.unit === "" ? { ...next, unit: unitOf(suggestion, skuOf(fields, next.fields)) } : next;
}

const skuOf = (fields: readonly SchemaField[], states: Record<string, FieldState>): string => states[fields.find((field) => field.kind === "sku")?.key ?? ""]?.value ?? "";
const unitOf = (suggestion: Suggestion | null, code: string): string => suggestion?.candidates.find((candidate) => candidate.sku_code === code)?.unit ?? "";

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
  unit: string;
  /** grams of one unit */
  weight_g?: number | null;
}

/** What a field's value says: a quantity typed as a bare number takes the catalog's unit. */
export function checkIn(document: LabelDocument, field: SchemaField, value: string, missing = ""): Checked {
  return checkField(field, field.kind === "quantity" ? withUnit(value, document.unit) : value, missing);
}

/**
 * Choosing a SKU brings its category and spec along from the catalog, over whatever the machine had put there. What the machine
 * counted it counted in its own SKU's unit: the number stays, in the chosen one's.
 */
export function adoptSku(document: LabelDocument, fields: readonly SchemaField[], record: CatalogRecord, origin: Origin): LabelDocument {
  let next = document.unit === record.unit ? document : { ...document, unit: record.unit };
  for (const field of fields) {
    if (field.kind === "sku") next = setValue(next, field.key, record.code, origin);
    if (field.kind === "category" && record.category) next = setValue(next, field.key, checkField(field, record.category).value, "catalog");
    if (field.kind === "quantity" && fieldOf(next, field.key).origin === "machine") {
      next = setValue(next, field.key, recount(fieldOf(next, field.key).value, document.unit, record.unit), "machine");
    }
    if (field.kind === "spec" && record.spec) next = setValue(next, field.key, checkField(field, record.spec).value, "catalog");
  }
  return next;
}

/** A guess that a person should look at before it counts: not confident, or the evidence points elsewhere. */
export function isDoubted(document: LabelDocument, field: SchemaField, suggestion: Suggestion | null): boolean {
  const state = fieldOf(document, field.key);
  if (state.origin !== "machine" || state.unknown || state.value === "") return false;
  if ((suggestion?.fields[field.key]?.confidence ?? 0) < SURE_FROM) return true;
  return field.kind === "sku" && (suggestion?.flags.includes("evidence_disagrees") ?? false);
}

/** Doubted guesses that nobody has confirmed yet. What a doubted SKU brought along is settled with it. */
export function unconfirmed(document: LabelDocument, fields: readonly SchemaField[], suggestion: Suggestion | null): SchemaField[] {
  const doubted = fields.filter((field) => isDoubted(document, field, suggestion));
  const bySku = doubted.some((field) => field.kind === "sku");
  return doubted.filter((field) => !bySku || (field.kind !== "category" && field.kind !== "spec"));
}

/** The first field that needs a person: empty, or a doubted guess. */
export function firstDoubt(document: LabelDocument, fields: readonly SchemaField[], suggestion: Suggestion | null): string | null {
  const field = fields.find((one) => {
    const state = fieldOf(document, one.key);
    return (!state.unknown && state.value === "" && one.required) || isDoubted(document, one, suggestion);
  });
  return field?.key ?? null;
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
    const { error } = checkIn(document, field, state.value, words.missing);
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
      const { value } = checkIn(document, field, state.value);
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
      return [[field.key, !state.unknown && checkIn(document, field, state.value).value === checkField(field, proposed).value]];
    }),
  );
}
