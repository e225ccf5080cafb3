// The values of a caption: texts, and the fields that could not be seen. Twin of inference/captions/values.py.

import { conditionText, parseCondition } from './condition'
import { type FieldError, excerpt, fieldError, isFieldError } from './errors'
import { parseQuantity, quantityText } from './quantity'
import type { Field, Schema } from './schema'
import { parseSpec } from './spec'
import { characters, fold, narrow, tidy } from './text'

/** Most characters that a value may have. */
export const MAX_LENGTH = 500

export const UNKNOWN = '看不清'

/** A field that could not be seen, and why, or an empty reason; also its JSON form. */
export interface Unknown {
  readonly unknown: string
}

export type Value = string | Unknown
export type Values = Readonly<Partial<Record<string, Value>>>

const UNKNOWN_PATTERN =
  /^(?:看不清楚|看不清|无法辨认|無法辨認|不可辨|unknown|illegible|unreadable|not visible|判読不能|読めない|見えない|不明) ?(?:[(（](.*)[)）])?$/i
const DASHES = /[‐‑‒–—−]/g
const DATE =
  /^(?:([0-9]{4}) ?[-/.年] ?([0-9]{1,2})(?: ?[-/.月] ?([0-9]{1,2}) ?日?| ?月)?|([0-9]{4})([0-9]{2})([0-9]{2}))$/

export function isUnknown(value: unknown): value is Unknown {
  return typeof value === 'object' && value !== null && 'unknown' in value
}

/** The form in a caption, before escaping: 看不清 or 看不清(反光). */
export function unknownText({ unknown }: Unknown): string {
  return unknown ? `${UNKNOWN}(${unknown})` : UNKNOWN
}

/** Read 看不清, 看不清(反光), unknown (glare) and the like; null for any other text. */
export function parseUnknown(text: string): Unknown | null {
  const match = UNKNOWN_PATTERN.exec(tidy(text))
  return match ? { unknown: tidy(match[1] ?? '') } : null
}

/** The canonical form of `raw` for `field`, or what is wrong with it. */
export function normaliseValue(field: Field, raw: string): string | FieldError {
  const text = tidy(raw)
  if (!text) return fieldError('empty_value', { label: field.label.zh }, field.key)
  const length = characters(text)
  if (length > MAX_LENGTH) {
    return fieldError('too_long', { label: field.label.zh, length, limit: MAX_LENGTH }, field.key)
  }
  const value = normalise(field, text)
  return isFieldError(value) ? { ...value, field: field.key } : value
}

function normalise(field: Field, text: string): string | FieldError {
  switch (field.kind) {
    case 'sku':
      return normaliseSku(text)
    case 'spec': {
      const spec = parseSpec(text)
      return isFieldError(spec) ? spec : spec.text
    }
    case 'quantity': {
      const quantity = parseQuantity(text)
      return isFieldError(quantity) ? quantity : quantityText(quantity)
    }
    case 'condition': {
      const condition = parseCondition(text)
      return isFieldError(condition) ? condition : conditionText(condition)
    }
    case 'date':
      return normaliseDate(text)
    case 'choice':
      return (
        field.options.find((option) => fold(option) === fold(text)) ??
        fieldError('not_an_option', { text: excerpt(text), options: field.options })
      )
    case 'category':
    case 'text':
      return text
  }
}

function normaliseSku(text: string): string | FieldError {
  const code = narrow(text).replace(DASHES, '-')
  return /[\p{L}\p{N}]/u.test(code) ? code : fieldError('invalid_sku', { text: excerpt(text) })
}

/** ISO 8601: 2025-03-01, or 2025-03 where no day was given. */
function normaliseDate(text: string): string | FieldError {
  const match = DATE.exec(narrow(text))
  if (match) {
    const year = match[1] ?? match[4] ?? ''
    const month = (match[2] ?? match[5] ?? '').padStart(2, '0')
    const given = match[3] ?? match[6]
    const day = (given ?? '1').padStart(2, '0')
    const iso = `${year}-${month}-${day}`
    const date = new Date(`${iso}T00:00:00Z`)
    const exists = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso)
    if (exists && year !== '0000') return given ? iso : iso.slice(0, 7)
  }
  return fieldError('invalid_date', { text: excerpt(text) })
}

/** Normalise `values`: the canonical values of the fields that are right, and the errors. */
export function validate(
  values: Values,
  schema: Schema,
  { complete = true }: { readonly complete?: boolean } = {},
): { readonly values: Record<string, Value>; readonly errors: readonly FieldError[] } {
  const good: Record<string, Value> = {}
  const errors: FieldError[] = []
  for (const field of schema.fields) {
    const value = values[field.key]
    if (value === undefined) {
      if (field.required && complete) {
        errors.push(fieldError('missing_field', { label: field.label.zh }, field.key))
      }
    } else if (isUnknown(value)) {
      good[field.key] = { unknown: tidy(value.unknown) }
    } else {
      const result = normaliseValue(field, value)
      if (isFieldError(result)) errors.push(result)
      else good[field.key] = result
    }
  }
  for (const key of Object.keys(values)) {
    if (values[key] !== undefined && !schema.fields.some((field) => field.key === key)) {
      const labels = schema.fields.map((field) => field.label.zh)
      errors.push(fieldError('unknown_field', { label: key, labels }, key))
    }
  }
  return { values: good, errors }
}
