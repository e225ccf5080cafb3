// Reading captions, forgivingly: any order, any width, labels in three languages.
// Twin of inference/captions/parse.py.

import { type FieldError, excerpt, fieldError, isFieldError } from './errors'
import { formatCaption } from './format'
import { BARS, COMMAS, bracketedLabel, colonLabel, opensBoundary } from './labels'
import { DEFAULT_SCHEMA, type Field, type Schema, fieldsByName } from './schema'
import { characters, fold, isSpace, strip, tidy } from './text'
import { type Value, isUnknown, normaliseValue, parseUnknown } from './values'

/** Further errors are not listed; the last one listed says so. */
export const MAX_ERRORS = 50

/** What a caption says. `values` holds canonical values of the fields that could be read, `unread`
 * the raw text of those that could not, `canonical` the caption of `values`. */
export interface ParseResult {
  readonly values: Readonly<Record<string, Value>>
  readonly errors: readonly FieldError[]
  readonly canonical: string
  readonly unread: Readonly<Record<string, string>>
}

/** A label (null where there is none) and the characters after it, escapes resolved. Places are in
 * UTF-16 units. */
interface Segment {
  readonly label: string | null
  readonly labelAt: number
  start: number
  text: string
  firstEscaped: boolean
}

/** Read a caption. Never throws: what cannot be read is in `errors` by field and position. */
export function parse(text: string, schema: Schema = DEFAULT_SCHEMA): ParseResult {
  const names = fieldsByName(schema)
  const values = new Map<string, Value>()
  const unread = new Map<string, string>()
  const errors: FieldError[] = []
  for (const segment of segmentsOf(text, names)) {
    if (segment.label === null) {
      const bare = tidy(segment.text)
      if (bare) errors.push(fieldError('unlabelled_text', { text: excerpt(bare) }, null, segment.start))
      continue
    }
    const field = names.get(fold(segment.label))
    if (!field) {
      const labels = schema.fields.map((known) => known.label.zh)
      const params = { label: excerpt(tidy(segment.label)), labels }
      errors.push(fieldError('unknown_field', params, null, segment.labelAt))
      continue
    }
    const value = valueOf(field, segment)
    const earlier = values.get(field.key)
    if (isFieldError(value)) {
      errors.push(value)
      if (!unread.has(field.key)) unread.set(field.key, tidy(segment.text))
    } else if (earlier === undefined) {
      values.set(field.key, value)
    } else if (!same(earlier, value)) {
      const params = { label: field.label.zh }
      errors.push(fieldError('duplicate_field', params, field.key, segment.labelAt))
    }
  }
  for (const { key, label, required } of schema.fields) {
    if (required && !values.has(key) && !unread.has(key)) {
      errors.push(fieldError('missing_field', { label: label.zh }, key))
    }
  }
  const ordered = Object.fromEntries(
    schema.fields.flatMap(({ key }) => {
      const value = values.get(key)
      return value === undefined ? [] : [[key, value] as const]
    }),
  )
  return {
    values: ordered,
    errors: inCharacters(limited(errors), text),
    canonical: formatCaption(ordered, schema),
    unread: Object.fromEntries(unread),
  }
}

function same(a: Value, b: Value): boolean {
  return isUnknown(a) && isUnknown(b) ? a.unknown === b.unknown : a === b
}

function valueOf(field: Field, segment: Segment): Value | FieldError {
  const unknown = segment.firstEscaped ? null : parseUnknown(segment.text)
  if (unknown) return unknown
  const value = normaliseValue(field, segment.text)
  return isFieldError(value) ? { ...value, position: segment.start } : value
}

function limited(errors: readonly FieldError[]): readonly FieldError[] {
  if (errors.length <= MAX_ERRORS) return errors
  return [
    ...errors.slice(0, MAX_ERRORS - 1),
    fieldError('too_many_errors', { limit: MAX_ERRORS }),
  ]
}

/** Errors with positions counted in Unicode characters instead of UTF-16 units. */
function inCharacters(errors: readonly FieldError[], text: string): readonly FieldError[] {
  return errors.map((error) =>
    error.position === null
      ? error
      : { ...error, position: characters(text.slice(0, error.position)) },
  )
}

/** Cut `text` at labels and bars. */
function segmentsOf(text: string, names: ReadonlyMap<string, Field>): readonly Segment[] {
  const segments: Segment[] = []
  const open = (label: string | null, labelAt: number, start: number): Segment => {
    const segment = { label, labelAt, start, text: '', firstEscaped: false }
    segments.push(segment)
    return segment
  }
  let segment = open(null, 0, 0)
  const add = (char: string, escaped: boolean): void => {
    if (!segment.text) {
      if (isSpace(char) && !escaped) {
        segment.start += 1
        return
      }
      segment.firstEscaped = escaped
    }
    segment.text += char
  }
  let boundary = true // a label with a colon may start here
  let place = 0
  while (place < text.length) {
    const char = text.charAt(place)
    if (char === '\\' && place + 1 < text.length) {
      add(text.charAt(place + 1), true)
      place += 2
      boundary = false
      continue
    }
    if (BARS.includes(char)) {
      segment = open(null, place, place + 1)
      place += 1
      boundary = true
      continue
    }
    const label =
      bracketedLabel(text, place) ??
      (boundary && !isSpace(char) ? colonLabel(text, place, names) : null)
    if (label) {
      segment.text = strip(segment.text, `${COMMAS} \t\r\n\u3000`, 'end')
      segment = open(label.name, place, label.end)
      place = label.end
      boundary = false
      continue
    }
    add(char, false)
    boundary = opensBoundary(char) || (boundary && isSpace(char))
    place += 1
  }
  return segments
}
