import type { FieldValues, SchemaField } from "@/api/types";
import { checkField } from "@/lib/caption";
import { isUnknown } from "@/lib/captions";

export interface Mended {
  /** in canonical form; empty ones are left out */
  values: FieldValues;
  /** what is wrong, by field */
  problems: Record<string, string>;
  /** from what was decided */
  differs: boolean;
}

/** What a checker made of a decided caption. */
export function mended(fields: readonly SchemaField[], decided: FieldValues, final: FieldValues, missing: string): Mended {
  const values: FieldValues = {};
  const problems: Record<string, string> = {};
  for (const field of fields) {
    const value = final[field.key] ?? "";
    if (isUnknown(value)) {
      values[field.key] = value;
      continue;
    }
    const { value: canonical, error } = checkField(field, value, missing);
    if (error) problems[field.key] = error;
    if (canonical !== "") values[field.key] = canonical;
  }
  const differs = fields.some(({ key }) => JSON.stringify(values[key] ?? "") !== JSON.stringify(decided[key] ?? ""));
  return { values, problems, differs };
}
