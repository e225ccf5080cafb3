/** Look-alikes as data: what holds for all, what differs, what is knocked out, where the cursor is. */
import type { Assignment, Project, SchemaField } from "@/api/types";
import { formatCaption } from "@/lib/caption";
import { checkIn, fieldOf, isDoubted, open, setValue, suggestionUsed, toDraft, toValues, type LabelDocument } from "@/lib/label/document";
import type { Confirmed } from "@/features/labeling/desk";
import { shareSeconds } from "./share";

export interface GridState {
  /** values by field key that hold where a tile has none of its own */
  common: Readonly<Record<string, string>>;
  /** own values by assignment and field key */
  own: Readonly<Record<number, Readonly<Record<string, string>>>>;
  knockedOut: ReadonlySet<number>;
  cursor: number;
}

/** The kinds of fields that differ between packs of one product, and are set on the tile. */
const IN_PLACE = new Set(["quantity", "condition"]);
export const inPlace = (fields: readonly SchemaField[]) => fields.filter((field) => IN_PLACE.has(field.kind));

function mostFrequent(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "";
}

/**
 * What most were proposed (or drafted) holds for all; what differs stays with its tile. So does having nothing where most have
 * something: the machine was unsure of that very one, and it is not filled by what the others are.
 */
export function begin(fields: readonly SchemaField[], assignments: readonly Assignment[]): GridState {
  const documents = assignments.map((assignment) => [assignment.id, open(fields, assignment)] as const);
  const common: Record<string, string> = {};
  const own: Record<number, Record<string, string>> = {};
  for (const { key } of fields) {
    common[key] = mostFrequent(documents.map(([, document]) => fieldOf(document, key).value));
    for (const [id, document] of documents) {
      const { value } = fieldOf(document, key);
      if (value !== common[key]) (own[id] ??= {})[key] = value;
    }
  }
  return { common, own, knockedOut: new Set(), cursor: 0 };
}

/** What a person says of all holds for those that have nothing too. */
export function setCommon(state: GridState, key: string, value: string): GridState {
  const own = Object.fromEntries(Object.entries(state.own).map(([id, values]) => [id, Object.fromEntries(Object.entries(values).filter(([name, one]) => name !== key || one !== ""))]));
  return { ...state, common: { ...state.common, [key]: value }, own };
}

/** A value of one tile; an empty one, or that of all, makes it like the others again. */
export function setOwn(state: GridState, id: number, key: string, value: string): GridState {
  const rest = Object.fromEntries(Object.entries(state.own[id] ?? {}).filter(([name]) => name !== key));
  return { ...state, own: { ...state.own, [id]: value === "" || value === state.common[key] ? rest : { ...rest, [key]: value } } };
}

export function toggle(state: GridState, id: number): GridState {
  const knockedOut = new Set(state.knockedOut);
  if (!knockedOut.delete(id)) knockedOut.add(id);
  return { ...state, knockedOut };
}

/** Moves the cursor by arrows over a grid of so many columns; at the edges it stays. */
export function moveCursor(cursor: number, key: string, count: number, columns: number): number {
  const moved = cursor + ({ ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key] ?? 0);
  return moved < 0 || moved >= count ? cursor : moved;
}

export const valueOf = (state: GridState, id: number, key: string): string => state.own[id]?.[key] ?? state.common[key] ?? "";

export function documentOf(state: GridState, fields: readonly SchemaField[], assignment: Assignment): LabelDocument {
  // attributes are not shown here, so that nobody would have seen a guess at them
  let document: LabelDocument = { ...open(fields, assignment), attributes: assignment.draft?.attributes ?? {} };
  for (const { key } of fields) {
    const value = valueOf(state, assignment.id, key);
    if (value !== fieldOf(document, key).value) document = setValue(document, key, value);
  }
  return document;
}

/** What keeps it from being confirmed, by field key. */
export function errorsOf(state: GridState, fields: readonly SchemaField[], assignment: Assignment, missing: string): Record<string, string> {
  const document = documentOf(state, fields, assignment);
  return Object.fromEntries(
    fields.flatMap((field) => {
      const { error } = checkIn(document, field, fieldOf(document, field.key).value, missing);
      return error ? [[field.key, error]] : [];
    }),
  );
}

/** Which of a tile's values are the machine's own; of those that differ from pack to pack, whether it was unsure. */
export function guessesOf(state: GridState, fields: readonly SchemaField[], assignment: Assignment): Record<string, "sure" | "doubted"> {
  const document = documentOf(state, fields, assignment);
  return Object.fromEntries(
    fields.flatMap((field): [string, "sure" | "doubted"][] => {
      if (fieldOf(document, field.key).origin !== "machine") return [];
      return [[field.key, IN_PLACE.has(field.kind) && isDoubted(document, field, assignment.suggestion) ? "doubted" : "sure"]];
    }),
  );
}

/** The answers to what is not knocked out; the seconds are shared out among them. */
export function confirm(state: GridState, project: Pick<Project, "schema" | "schema_version">, assignments: readonly Assignment[], seconds: number, ownSeconds: Readonly<Record<number, number>>): Confirmed[] {
  const { fields } = project.schema;
  const kept = assignments.filter(({ id }) => !state.knockedOut.has(id));
  const shares = shareSeconds(
    seconds,
    ownSeconds,
    kept.map(({ id }) => id),
  );
  return kept.map((assignment) => {
    const document = documentOf(state, fields, assignment);
    const body = {
      ...toDraft(document, fields, shares[assignment.id] ?? 0),
      schema_version: project.schema_version,
      token: assignment.token,
      suggestion_used: suggestionUsed(document, fields, assignment.suggestion),
    };
    return { assignment, body, caption: formatCaption(fields, toValues(document, fields)) };
  });
}
