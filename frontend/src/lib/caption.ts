/** The caption language as the pages use it: `lib/captions` with the words of the person's language. */
import {
  GRADES,
  conditionText,
  formatCaption as format,
  isFieldError,
  isUnknown,
  message,
  normaliseValue,
  parseCondition,
  type Field,
  type Value,
} from "@/lib/captions";
import { currentLanguage } from "@/lib/i18n";

export const CONDITIONS = GRADES;

export interface Checked {
  /** the canonical form, or what was typed where it cannot be read */
  value: string;
  /** what is wrong and how to mend it, in the person's language */
  error: string | null;
}

/** `missing` is what to say of an empty required field. */
export function checkField(field: Field, value: string, missing = ""): Checked {
  if (value.trim() === "") return { value: "", error: field.required && missing ? missing : null };
  const canonical = normaliseValue(field, value);
  return isFieldError(canonical) ? { value: value.trim(), error: message(canonical, currentLanguage()) } : { value: canonical, error: null };
}

/** A condition's grade from 1 (sound) to 5 (leaking), and the detail after it. */
export function readCondition(value: string): { grade: number; detail: string } | null {
  const condition = parseCondition(value);
  return isFieldError(condition) ? null : { grade: condition.grade + 1, detail: condition.detail };
}

/** Sound goods have no detail to tell. */
export const joinCondition = (grade: number, detail: string): string => conditionText({ grade: grade - 1, detail: grade > 1 ? detail.trim() : "" });

/** The caption so far: what cannot be read yet is left out. */
export function formatCaption(fields: readonly Field[], values: Readonly<Record<string, Value>>): string {
  const good = fields.flatMap((field): [string, Value][] => {
    const value = values[field.key];
    if (value === undefined) return [];
    if (isUnknown(value)) return [[field.key, value]];
    const canonical = value.trim() === "" ? null : normaliseValue(field, value);
    return canonical === null || isFieldError(canonical) ? [] : [[field.key, canonical]];
  });
  return format(Object.fromEntries(good), { fields });
}
