/** What the reviewer compares and builds, as pure functions. */
import type { Answer, Box, DisputeDetail, FieldValue, FieldValues, SchemaField, Sku } from "@/api/types";
import { isUnknown } from "@/lib/captions";
import { iou } from "@/lib/geometry/rect";

export type Column = "a" | "b" | "c" | "machine" | "wms";

/** Nothing said. */
const EMPTY = "";

export const columnOf = (answer: Answer): Column => (answer.label.toLowerCase() === "b" ? "b" : answer.label.toLowerCase() === "c" ? "c" : "a");
export const columnsOf = (dispute: DisputeDetail): Column[] => [...dispute.answers.map(columnOf), "machine", "wms"];

export const isEmpty = (value: FieldValue | undefined) => value === undefined || value === "";
/** Two unknowns are the same, whatever their reasons. */
export const sameValue = (a: FieldValue, b: FieldValue) => (isUnknown(a) || isUnknown(b) ? isUnknown(a) && isUnknown(b) : a === b);
const textOf = (value: FieldValue | undefined) => (typeof value === "string" ? value : undefined);

/** The catalog's record that the answers are held against: of the chosen code, else of the first code it knows. */
export function recordOf(dispute: DisputeDetail, fields: readonly SchemaField[], final: FieldValues): Sku | undefined {
  const key = fields.find((field) => field.kind === "sku")?.key;
  if (key === undefined) return undefined;
  const codes = [textOf(final[key]), ...dispute.answers.map((answer) => textOf(answer.fields[key])), dispute.suggestion?.candidates[0]?.sku_code];
  const known = codes.find((code) => code !== undefined && code in dispute.catalog);
  return known === undefined ? undefined : dispute.catalog[known];
}

export function cellOf(dispute: DisputeDetail, field: SchemaField, column: Column, record: Sku | undefined): FieldValue {
  if (column === "machine") return dispute.suggestion?.fields[field.key]?.value ?? EMPTY;
  if (column === "wms") {
    if (field.kind === "sku") return record?.code ?? EMPTY;
    if (field.kind === "category") return record?.category?.name ?? EMPTY;
    if (field.kind === "spec") return record?.spec ?? EMPTY;
    return EMPTY;
  }
  return dispute.answers.find((answer) => columnOf(answer) === column)?.fields[field.key] ?? EMPTY;
}

/** True when all annotators say the same about a field. */
export function unanimous(dispute: DisputeDetail, field: SchemaField): boolean {
  const [first, ...rest] = dispute.answers.map((answer) => answer.fields[field.key] ?? EMPTY);
  return first !== undefined && rest.every((one) => sameValue(first, one));
}

/** What is settled before the reviewer has done anything: the fields on which everybody agrees. */
export function settled(dispute: DisputeDetail, fields: readonly SchemaField[]): FieldValues {
  if (dispute.previous_decision) return dispute.previous_decision.fields;
  return Object.fromEntries(fields.filter((field) => unanimous(dispute, field)).map((field) => [field.key, dispute.answers[0]?.fields[field.key] ?? EMPTY]));
}

/** How well the boxes of two answers cover each other, best pairs first, photo by photo; a box without a counterpart counts 0. */
export function boxPairs(a: readonly Box[], b: readonly Box[]): number[] {
  const candidates = a.flatMap((one, i) => b.flatMap((other, j) => (one.capture === other.capture ? [{ i, j, value: iou(one, other) }] : [])));
  candidates.sort((x, y) => y.value - x.value);
  const left = new Set(a.keys());
  const right = new Set(b.keys());
  const found: number[] = [];
  for (const { i, j, value } of candidates) {
    if (value <= 0 || !left.has(i) || !right.has(j)) continue;
    left.delete(i);
    right.delete(j);
    found.push(value);
  }
  return [...found, ...Array<number>(left.size + right.size).fill(0)];
}

/** The worst of them; null without boxes. */
export function boxOverlap(a: readonly Box[], b: readonly Box[]): number | null {
  const pairs = boxPairs(a, b);
  return pairs.length === 0 ? null : Math.min(...pairs);
}

/** Which answer's boxes are taken before the reviewer has said so: the first one's, unless they lie elsewhere. */
export function settledBoxes(dispute: DisputeDetail): Column | null {
  const [a, b] = dispute.answers;
  return a && (!b || (boxOverlap(a.boxes, b.boxes) ?? 1) >= 0.5) ? columnOf(a) : null;
}
