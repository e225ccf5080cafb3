// Specs: amounts with units and nested packs, such as 500ml×6瓶/箱. Twin of inference/captions/spec.py.

import { type FieldError, excerpt, fieldError, isFieldError } from './errors'
import { type NumberMatch, matchNumber } from './numerals'
import { narrow, similarity } from './text'
import {
  type Dimension,
  GENERIC_PACK,
  MEASURES,
  MEASURE_NAMES,
  PACK_NAMES,
  isAscii,
  packKey,
  packName,
} from './units'

const TIMES = /[×*✕✖∗]|[xX](?= ?[0-9])/y
const MEASURE = new RegExp(` ?(${MEASURE_NAMES.join('|')})(?=[^a-z]|x ?[0-9一二两三四五六七八九十百千半]|$)`, 'iy')
const PACK = new RegExp(
  ` ?(${PACK_NAMES.join('|')})(?=[^a-z]|$)|` +
    ` ?(${PACK_NAMES.filter((name) => !isAscii(name)).join('|')})`,
  'iy',
)
const LATIN = /[A-Za-z]+(?:[-.]?[0-9]+[A-Za-z]*)*/y
const PLAIN_LATIN = /[A-Za-z]+(?![A-Za-z0-9])/y
const OTHER = /[^ ×*✕✖∗/0-9A-Za-z.,，。()（）+~:;_'"!?&%#@=<>、—–…·“”‘’-]+/y
// Words that do not tell two packs apart.
const FILLERS = new Set(['装', '入', '约', '净含量', '净重', '容量', GENERIC_PACK, ''])

interface Token {
  readonly kind: 'number' | 'word' | '×' | '/' | 'mark'
  readonly text: string
  readonly spaced: boolean
  readonly value: number
  readonly unit: string
}

type Measured = readonly [Dimension, number]

/** `measures` are in ml, g or mm, smallest first; `counts` leave out ones; `words` are pack keys and
 * other words that qualify the amounts; `text` is the canonical form. */
export interface Spec {
  readonly text: string
  readonly measures: readonly Measured[]
  readonly counts: readonly number[]
  readonly words: ReadonlySet<string>
}

/** The amount in the whole pack (dimension null: pieces), or null when there is no single one. */
export function specTotal(spec: Spec): readonly [Dimension | null, number] | null {
  if (spec.measures.length > 1 || spec.measures.length + spec.counts.length === 0) return null
  const [dimension, amount] = spec.measures[0] ?? [null, 1]
  return [dimension, amount * spec.counts.reduce((product, count) => product * count, 1)]
}

/** Read a spec. One without numbers (均码) is allowed: its words are all there is to compare. */
export function parseSpec(raw: string): Spec | FieldError {
  const text = narrow(raw)
  const tokens = tokenise(text)
  if (isFieldError(tokens)) return tokens
  for (const [index, token] of tokens.entries()) {
    if (!isOperator(token)) continue
    const before = tokens[index - 1]
    const after = tokens[index + 1]
    if (!before || !after || isOperator(before) || isOperator(after)) {
      return fieldError('dangling_operator', { operator: token.text })
    }
  }
  if (!tokens.some(({ kind }) => kind === 'number' || kind === 'word')) {
    return fieldError('invalid_spec', { text: excerpt(text) })
  }
  return meaning(tokens)
}

function isOperator(token: Token | undefined): boolean {
  return token?.kind === '×' || token?.kind === '/'
}

function meaning(tokens: readonly Token[]): Spec {
  let text = ''
  const measures: Measured[] = []
  const counts: number[] = []
  const words = new Set<string>()
  tokens.forEach((token, index) => {
    const joined = isOperator(token) || isOperator(tokens[index - 1])
    text += (token.spaced && text && !joined ? ' ' : '') + token.text
    const measure = token.kind === 'number' ? MEASURES.get(token.unit.toLowerCase()) : undefined
    if (measure) {
      measures.push([measure.dimension, token.value * measure.factor])
    } else if (token.kind === 'number') {
      if (token.value !== 1) counts.push(token.value)
      words.add(packKey(token.unit))
    } else if (token.kind === 'word') {
      words.add(packKey(token.text))
    }
  })
  measures.sort((a, b) => (a[0] === b[0] ? a[1] - b[1] : a[0] < b[0] ? -1 : 1))
  counts.sort((a, b) => a - b)
  return { text, measures, counts, words: new Set([...words].filter((w) => !FILLERS.has(w))) }
}

function tokenise(text: string): readonly Token[] | FieldError {
  const tokens: Token[] = []
  let place = 0
  let spaced = false
  while (place < text.length) {
    if (text[place] === ' ') {
      place += 1
      spaced = true
      continue
    }
    const found = tokenAt(text, place, spaced, tokens.length > 0)
    if (isFieldError(found)) return found
    tokens.push(found[0])
    place = found[1]
    spaced = false
  }
  return tokens
}

function tokenAt(
  text: string,
  place: number,
  spaced: boolean,
  inside: boolean,
): readonly [Token, number] | FieldError {
  const plain = (kind: Token['kind'], word: string, end: number): readonly [Token, number] => [
    { kind, text: word, spaced, value: 0, unit: '' },
    end,
  ]
  const times = timesAt(text, place)
  if (times !== null && (inside || !'xX'.includes(text.charAt(place)))) return plain('×', '×', times)
  if (text[place] === '/') return plain('/', '/', place + 1)
  const number = matchNumber(text, place)
  if (number && (number.arabic || unitAt(text, number.end))) return numberToken(text, number, spaced)
  const latin = matchAt(LATIN, text, place)
  if (latin !== null) return plain('word', latin, place + latin.length)
  const other = matchAt(OTHER, text, place)
  if (other !== null) {
    const end = nextNumber(text, place + 1, place + other.length)
    return plain('word', text.slice(place, end), end)
  }
  return plain('mark', text.charAt(place), place + 1)
}

function numberToken(
  text: string,
  number: NumberMatch,
  spaced: boolean,
): readonly [Token, number] | FieldError {
  if (number.decimal === null) {
    return fieldError('number_out_of_range', { text: excerpt(number.text) })
  }
  const value = Number(number.decimal)
  if (value === 0) return fieldError('zero_amount')
  let [unit, end] = unitAt(text, number.end) ?? ['', number.end]
  if (!unit) {
    const latin = timesAt(text, end) === null ? matchAt(PLAIN_LATIN, text, end) : null
    const other = latin === null ? matchAt(OTHER, text, end) : null
    if (latin !== null) end += latin.length
    else if (other !== null) end = nextNumber(text, end + 1, end + other.length)
    unit = text.slice(number.end, end)
  }
  return [{ kind: 'number', text: number.decimal + unit, spaced, value, unit }, end]
}

/** The place after a multiplication sign at `place`. An x is one before a number, Chinese numerals
 * with a known unit included. */
function timesAt(text: string, place: number): number | null {
  const sign = matchAt(TIMES, text, place)
  if (sign !== null) return place + sign.length
  if (text[place] !== 'x' && text[place] !== 'X') return null
  const number = matchNumber(text, text[place + 1] === ' ' ? place + 2 : place + 1)
  return number && unitAt(text, number.end) ? place + 1 : null
}

/** The known measure or pack at `place` as it is written in captions, and the place after. */
function unitAt(text: string, place: number): [string, number] | null {
  MEASURE.lastIndex = place
  const measure = MEASURE.exec(text)
  if (measure) {
    const symbol = MEASURES.get((measure[1] ?? '').toLowerCase())?.symbol ?? ''
    return [symbol, place + measure[0].length]
  }
  PACK.lastIndex = place
  const pack = PACK.exec(text)
  return pack ? [packName(pack[1] ?? pack[2] ?? ''), place + pack[0].length] : null
}

/** Where in `start`…`end` a Chinese number with a known unit begins, else `end`. */
function nextNumber(text: string, start: number, end: number): number {
  for (let place = start; place < end; place += 1) {
    const number = matchNumber(text, place)
    if (number && unitAt(text, number.end)) return place
  }
  return end
}

/** 1 for the same amounts after unit conversion, .5 for the same total packed otherwise, else 0;
 * halved when qualifying words conflict (瓶 and 罐). Without amounts, character similarity. */
export function compareSpecs(a: string, b: string): number {
  const first = parseSpec(a)
  const second = parseSpec(b)
  if (isFieldError(first) || isFieldError(second)) return similarity(a, b)
  const amounts = [first, second].flatMap((spec) => [...spec.measures, ...spec.counts])
  if (amounts.length === 0) return similarity(a, b)
  const score = compareAmounts(first, second)
  return includes(first.words, second.words) || includes(second.words, first.words)
    ? score
    : score / 2
}

function includes(words: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  return [...others].every((word) => words.has(word))
}

function compareAmounts(a: Spec, b: Spec): number {
  const dimensions = (spec: Spec): string => spec.measures.map(([dimension]) => dimension).join()
  const sizes = (spec: Spec): number[] => spec.measures.map(([, size]) => size)
  if (dimensions(a) === dimensions(b) && close(sizes(a), sizes(b)) && close(a.counts, b.counts)) {
    return 1
  }
  const totalA = specTotal(a)
  const totalB = specTotal(b)
  if (totalA && totalB && totalA[0] === totalB[0] && close([totalA[1]], [totalB[1]])) return 0.5
  return 0
}

function close(a: readonly number[], b: readonly number[]): boolean {
  return (
    a.length === b.length &&
    a.every((x, i) => {
      const y = b[i] ?? Number.NaN
      return Math.abs(x - y) <= 1e-9 * Math.max(Math.abs(x), Math.abs(y))
    })
  )
}

function matchAt(pattern: RegExp, text: string, place: number): string | null {
  pattern.lastIndex = place
  return pattern.exec(text)?.[0] ?? null
}
