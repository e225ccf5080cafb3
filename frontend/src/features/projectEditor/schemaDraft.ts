/** A schema under the editor's hands, as plain data; every change makes a new one, so that undo is a list. */
import type { FieldError, SchemaField } from "@/api/types";
import { DEFAULT_SCHEMA, type Kind } from "@/lib/captions";

export interface DraftField extends SchemaField {
  /** stays the same however the key is edited */
  id: string;
  /** its key in the saved schema; null for a new field */
  was: string | null;
}

export interface SchemaDraft {
  fields: readonly DraftField[];
}

let lastId = 0;
const newId = () => `f${++lastId}`;

export const KINDS: readonly Kind[] = ["sku", "category", "spec", "quantity", "condition", "text", "date", "choice"];

/** Fields that many projects want. */
export const PRESETS = {
  expiry: { key: "expiry", kind: "date", label: { zh: "保质期", en: "Best before", ja: "賞味期限" }, required: false, weight: 0.1, options: [], aliases: ["有效期", "到期日"] },
  origin: { key: "origin", kind: "text", label: { zh: "产地", en: "Origin", ja: "原産地" }, required: false, weight: 0.05, options: [], aliases: ["原产地"] },
} satisfies Record<string, SchemaField>;

export const open = (fields: readonly SchemaField[]): SchemaDraft => ({ fields: fields.map((field) => ({ ...field, id: newId(), was: field.key })) });

/** The default five in their places; fields of the same key keep their history. */
export function toDefault(draft: SchemaDraft): SchemaDraft {
  const saved = new Set(draft.fields.flatMap((field) => field.was ?? []));
  return { fields: DEFAULT_SCHEMA.fields.map((field) => ({ ...field, id: newId(), was: saved.has(field.key) ? field.key : null })) };
}

function freeKey(draft: SchemaDraft, wanted: string): string {
  const taken = new Set(draft.fields.map((field) => field.key));
  if (!taken.has(wanted)) return wanted;
  for (let n = 2; ; n++) if (!taken.has(`${wanted}_${n}`)) return `${wanted}_${n}`;
}

export function add(draft: SchemaDraft, field: SchemaField): SchemaDraft {
  return { fields: [...draft.fields, { ...field, key: freeKey(draft, field.key), id: newId(), was: null }] };
}

export const addEmpty = (draft: SchemaDraft): SchemaDraft => add(draft, { key: "field", kind: "text", label: { zh: "", en: "", ja: "" }, required: false, weight: 0, options: [], aliases: [] });

export const has = (draft: SchemaDraft, field: SchemaField): boolean => draft.fields.some((one) => one.key === field.key || one.label.zh === field.label.zh);

export const remove = (draft: SchemaDraft, id: string): SchemaDraft => ({ fields: draft.fields.filter((field) => field.id !== id) });

export function change(draft: SchemaDraft, id: string, edit: Partial<SchemaField>): SchemaDraft {
  return {
    fields: draft.fields.map((field) => {
      if (field.id !== id) return field;
      const next = { ...field, ...edit };
      // only a choice has options
      return next.kind === "choice" ? next : { ...next, options: [] };
    }),
  };
}

/** Moves a field to another place; the same draft when there is nowhere to go. */
export function move(draft: SchemaDraft, id: string, to: number): SchemaDraft {
  const from = draft.fields.findIndex((field) => field.id === id);
  const place = Math.min(Math.max(to, 0), draft.fields.length - 1);
  const moved = draft.fields[from];
  if (!moved || from === place) return draft;
  const rest = draft.fields.filter((field) => field.id !== id);
  return { fields: [...rest.slice(0, place), moved, ...rest.slice(place)] };
}

/** Lines of a text field as options: one a line, empty ones left out. */
export const readOptions = (text: string): string[] => text.split("\n").map((line) => line.trim()).filter(Boolean);

export function toSchema(draft: SchemaDraft): { fields: SchemaField[] } {
  return {
    fields: draft.fields.map((field) => ({
      key: field.key,
      kind: field.kind,
      label: field.label,
      required: field.required,
      weight: field.weight,
      options: field.options,
      aliases: field.aliases,
    })),
  };
}

/** What became of the keys that fields had: only those that changed. */
export function renamesOf(draft: SchemaDraft): Record<string, string> {
  return Object.fromEntries(draft.fields.flatMap((field): [string, string][] => (field.was !== null && field.was !== field.key ? [[field.was, field.key]] : [])));
}

export const differs = (draft: SchemaDraft, saved: readonly SchemaField[]): boolean => JSON.stringify(toSchema(draft).fields) !== JSON.stringify(toSchema(open(saved)).fields);

export interface PlacedErrors {
  /** by field index and property ("2.label.zh") */
  at: Record<string, string>;
  /** of the schema as a whole */
  whole: string[];
}

/** The server's objections, each at the input that can mend it. */
export function place(errors: readonly FieldError[]): PlacedErrors {
  const placed: PlacedErrors = { at: {}, whole: [] };
  for (const error of errors) {
    const path = /^schema\.fields\.(\d+\.\w+(?:\.(?:zh|en|ja))?)/.exec(error.field)?.[1];
    if (path) placed.at[path] ??= error.message;
    else placed.whole.push(error.message);
  }
  return placed;
}

/** Values that a preview starts with, one for each kind. */
export function sampleOf(field: SchemaField): string {
  switch (field.kind) {
    case "sku":
      return "WASH-2024-BLUE";
    case "category":
      return "个人护理";
    case "spec":
      return "500ml×6瓶/箱";
    case "quantity":
      return "1箱";
    case "condition":
      return "完好无损";
    case "date":
      return "2026-03-01";
    case "choice":
      return field.options[0] ?? "";
    case "text":
      return field.key === "origin" ? "浙江杭州" : "示例";
  }
}
