// Quantities: numbers with units, such as 12箱, 一打, 半箱, 1箱3瓶. Twin of inference/captions/quantity.py.

import { type FieldError, excerpt, fieldError, isFieldError } from './errors'
import { NUMERAL_CHARS, matchNumber } from './numerals'
import { fold, narrow } from './text'
import { DOZEN, GENERIC_PACK, packKey, packName } from './units'

const MAX_PARTS = 3

const PREFIX = /(?:共计|合计|总计|共|total:?|[x×*]) */iy
const CONNECTOR = / *(?:[零又加和+,]|and(?![a-z]))? */iy
const UNIT = new RegExp(
  ` *(千克|千米|[^${NUMERAL_CHARS} .,+×*/()\\-零又加和、。—–…·~!?;:'"%&@#=<>“”|\\\\]{1,12})\\.?`,
  'uy',
)
const VAGUE = /以上|以下|左右|不到|^[多余]|[多余]$/
const HALF = / *半/y
const VULGAR: readonly (readonly [string, string])[] = [
  ['½', '0.5'],
  ['¼', '0.25'],
  ['¾', '0.75'],
]

export interface QuantityPart {
  readonly number: string
  /** Empty where none was given. */
  readonly unit: string
}

export type Quantity = readonly QuantityPart[]

/** The canonical form, for example `12箱`. */
export function quantityText(quantity: Quantity): string {
  return quantity.map(({ number, unit }) => number + unit).join('')
}

/** Numbers with unit keys, for comparison; a dozen counts as twelve pieces. */
export function quantityAmounts(quantity: Quantity): readonly (readonly [number, string])[] {
  return quantity.map(({ number, unit }) =>
    packKey(unit) === DOZEN
      ? [Number(number) * 12, GENERIC_PACK]
      : [Number(number), packKey(unit)],
  )
}

/** Read a quantity such as 12箱, 两箱, 一打, 1箱零3瓶. */
export function parseQuantity(raw: string): Quantity | FieldError {
  const text = narrow(VULGAR.reduce((done, [char, decimal]) => done.replaceAll(char, decimal), raw))
  const unreadable = fieldError('invalid_quantity', { text: excerpt(text) })
  const parts: QuantityPart[] = []
  const start = matchAt(PREFIX, text, 0)?.end ?? 0
  let place = start
  while (place < text.length) {
    if (parts.length > 0) place = matchAt(CONNECTOR, text, place)?.end ?? place
    const number = matchNumber(text, place)
    if (!number || parts.length === MAX_PARTS) return unreadable
    let decimal = number.decimal
    if (decimal === null) return fieldError('number_out_of_range', { text: excerpt(number.text) })
    place = number.end
    let unit = ''
    const found = matchAt(UNIT, text, place)
    if (found) {
      unit = packName(found.group)
      if (VAGUE.test(unit)) return unreadable
      place = found.end
      const half = matchAt(HALF, text, place)
      if (half && !decimal.includes('.') && half.end === text.length) {
        decimal = `${decimal}.5`
        place = half.end
      }
    }
    if (parts.some((part) => packKey(part.unit) === packKey(unit))) {
      return fieldError('repeated_unit', { unit })
    }
    parts.push({ number: decimal, unit })
  }
  if (place === start || (parts.length > 1 && parts.some(({ unit }) => !unit))) return unreadable
  return parts
}

/** 1 when numbers and units are equal, .5 when only the numbers are, else 0. */
export function compareQuantities(a: string, b: string): number {
  const first = parseQuantity(a)
  const second = parseQuantity(b)
  if (isFieldError(first) || isFieldError(second)) return fold(a) === fold(b) ? 1 : 0
  const x = quantityAmounts(first)
  const y = quantityAmounts(second)
  if (x.length !== y.length) return 0
  if (x.some(([number], i) => number !== y[i]?.[0])) return 0
  return x.every(([, unit], i) => unit === y[i]?.[1]) ? 1 : 0.5
}

function matchAt(
  pattern: RegExp,
  text: string,
  place: number,
): { readonly group: string; readonly end: number } | null {
  pattern.lastIndex = place
  const match = pattern.exec(text)
  return match ? { group: match[1] ?? '', end: place + match[0].length } : null
}
