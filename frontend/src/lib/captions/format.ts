// Writing captions: always in the canonical form. Twin of inference/captions/format.py.

import { CaptionError } from './errors'
import { colonsOfLabels } from './labels'
import { DEFAULT_SCHEMA, type Schema, fieldsByName } from './schema'
import { escape } from './text'
import { type Value, type Values, isUnknown, parseUnknown, unknownText, validate } from './values'

/** The canonical caption of `values`: Chinese labels, the schema's order, values normalised.
 * Fields may be missing. Throws `CaptionError` for values that are not valid. */
export function formatCaption(values: Values, schema: Schema = DEFAULT_SCHEMA): string {
  const { values: good, errors } = validate(values, schema, { complete: false })
  if (errors.length > 0) throw new CaptionError(errors)
  const names = fieldsByName(schema)
  return schema.fields
    .flatMap((field) => {
      const value = good[field.key]
      return value === undefined ? [] : [`【${field.label.zh}】${written(value, names)}`]
    })
    .join('|')
}

/** A value as it stands in a caption: what a reader would take for something else gets a backslash
 * in front. */
function written(value: Value, names: ReadonlyMap<string, unknown>): string {
  const text = isUnknown(value) ? unknownText(value) : value
  const guarded = colonsOfLabels(text, names)
  if (!isUnknown(value) && (parseUnknown(value) || /^[:：]/.test(value))) guarded.add(0)
  return text
    .split('')
    .map((char, place) => (guarded.has(place) ? `\\${char}` : escape(char)))
    .join('')
}
