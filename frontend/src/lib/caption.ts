/** The caption language as the pages use it. Temporary: gives way to `lib/captions`, the twin of the Python module. */
import type { FieldValues, SchemaField } from "@/api/types";

export const CONDITIONS = ["完好无损", "轻微压痕", "明显变形", "破损", "渗漏"] as const;

export interface Checked {
  /** the canonical form, or what was typed where it cannot be read */
  value: string;
  /** what is wrong and how to mend it, in the person's language */
  error: string | null;
}

export function checkField(field: SchemaField, value: string, missing = ""): Checked {
  const text = value.trim();
  if (!text) return { value: "", error: field.required ? missing : null };
  return { value: text, error: null };
}

/** A condition's grade from 1 (sound) to 5 (leaking), and what follows it. */
export function readCondition(value: string): { grade: number; detail: string } | null {
  const index = CONDITIONS.findIndex((name) => value.startsWith(name));
  const name = CONDITIONS[index];
  return name === undefined ? null : { grade: index + 1, detail: value.slice(name.length).replace(/^，/, "") };
}

export function joinCondition(grade: number, detail: string): string {
  const name = CONDITIONS[grade - 1] ?? "";
  return grade > 1 && detail.trim() ? `${name}，${detail.trim()}` : name;
}

export function formatCaption(fields: readonly SchemaField[], values: FieldValues): string {
  return fields
    .map((field) => {
      const value = values[field.key];
      return `【${field.label.zh}】${value?.unknown ? `看不清${value.reason ? `(${value.reason})` : ""}` : (value?.value ?? "")}`;
    })
    .join("|");
}
