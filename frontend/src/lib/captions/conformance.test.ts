// The vectors that this twin and the Python module both pass.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Box, matchBoxes } from './boxes'
import { agreement, compare } from './compare'
import { conditionText, parseCondition } from './condition'
import { CaptionError, type FieldError, MESSAGES, isFieldError, message } from './errors'
import { formatCaption } from './format'
import { RULES, type World, findings } from './language'
import { parseChinese } from './numerals'
import { parse } from './parse'
import { parseQuantity, quantityAmounts, quantityText } from './quantity'
import { DEFAULT_SCHEMA, type Field, type Kind, type Schema } from './schema'
import { parseSpec, specTotal } from './spec'
import { type Value, type Values, normaliseValue } from './values'

interface ErrorVector {
  code: string
  field: string | null
  position?: number | null
}
interface SchemaNamed {
  schema?: string
}
interface Vectors {
  schemas: Record<string, Schema>
  category_parent: Record<string, string>
  messages: Record<string, unknown>
  parse: (SchemaNamed & { text: string; values: Values; errors: ErrorVector[]; canonical?: string })[]
  format: (SchemaNamed & { values: Values; caption?: string; errors?: ErrorVector[] })[]
  normalise: { kind: Kind; raw: string; options?: string[]; value?: string; error?: string }[]
  spec: {
    raw: string
    error?: string
    text?: string
    measures?: [string, number][]
    counts?: number[]
    words?: string[]
    total?: [string | null, number] | null
  }[]
  quantity: { raw: string; error?: string; text?: string; amounts?: [number, string][] }[]
  condition: { raw: string; error?: string; grade?: number; detail?: string; text?: string }[]
  compare: { field: string; a: Value | null; b: Value | null; score: number }[]
  agreement: (SchemaNamed & {
    a: Values
    b: Values
    score: number
    per_field?: Record<string, number>
    reasons: string[]
    threshold?: number
    minimum_iou?: number
    boxes?: [Box[], Box[]]
  })[]
  boxes: { a: Box[]; b: Box[]; pairs: [number, number, number][] }[]
  numerals: [string, number | null][]
  language: (SchemaNamed & { values: Values; world?: World; findings: [string, string, number, number, string | null][] })[]
  language_rules: Record<string, [number, string, string, string]>
}

const file = new URL('../../../../inference/captions/conformance.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf-8')) as Vectors

function schemaOf({ schema = 'default' }: SchemaNamed): Schema {
  const found = vectors.schemas[schema]
  if (!found) throw new Error(`no schema ${schema}`)
  return found
}

function fieldOf(key: string): Field {
  const field = schemaOf({ schema: 'wide' }).fields.find((known) => known.key === key)
  if (!field) throw new Error(`no field ${key}`)
  return field
}

const parentOf = (name: string): string | undefined => vectors.category_parent[name]
const bare = (errors: readonly FieldError[]): ErrorVector[] =>
  errors.map(({ code, field, position }) => ({ code, field, position }))

test('the default schema and the messages are those of the vectors', () => {
  expect(DEFAULT_SCHEMA).toEqual(vectors.schemas.default)
  expect(MESSAGES).toEqual(vectors.messages)
})

describe('parse', () => {
  test.each(vectors.parse)('$text', (vector) => {
    const result = parse(vector.text, schemaOf(vector))
    expect(result.values).toEqual(vector.values)
    expect(bare(result.errors)).toEqual(vector.errors)
    if (vector.canonical !== undefined) expect(result.canonical).toBe(vector.canonical)
    for (const error of result.errors) expect(message(error, 'en')).not.toMatch(/[{}]/)
  })

  test.each(['[', '【', ' ', '\\', 'a:', '|', '【数量】', '1', '，', 'a，', '三'])(
    'reads 100,000 characters of %s quickly',
    (piece) => {
      const start = performance.now()
      parse(`【规格】${piece.repeat(100_000 / piece.length)}`)
      expect(performance.now() - start).toBeLessThan(1000)
    },
  )
})

describe('format', () => {
  test.each(vectors.format)('$values', (vector) => {
    if (vector.caption !== undefined) {
      expect(formatCaption(vector.values, schemaOf(vector))).toBe(vector.caption)
      return
    }
    let errors: readonly FieldError[] = []
    try {
      formatCaption(vector.values, schemaOf(vector))
    } catch (error) {
      if (error instanceof CaptionError) errors = error.errors
    }
    expect(errors.map(({ code, field }) => ({ code, field }))).toEqual(vector.errors)
  })
})

test.each(vectors.normalise)('normalise $kind $raw', ({ kind, raw, options, value, error }) => {
  const label = { zh: '字段', en: 'Field', ja: '項目' }
  const field: Field = {
    key: 'x',
    kind,
    label,
    required: true,
    weight: 0,
    options: options ?? [],
    aliases: [],
  }
  const result = normaliseValue(field, raw)
  if (isFieldError(result)) expect([result.code, result.field]).toEqual([error, 'x'])
  else expect(result).toBe(value)
})

test.each(vectors.spec)('spec $raw', (vector) => {
  const spec = parseSpec(vector.raw)
  if (isFieldError(spec)) {
    expect(spec.code).toBe(vector.error)
    return
  }
  const { text, measures, counts, words } = spec
  const total = specTotal(spec)
  expect({ raw: vector.raw, text, measures, counts, words: [...words].sort(), total }).toEqual(vector)
})

test.each(vectors.quantity)('quantity $raw', (vector) => {
  const quantity = parseQuantity(vector.raw)
  if (isFieldError(quantity)) {
    expect(quantity.code).toBe(vector.error)
    return
  }
  expect(quantityText(quantity)).toBe(vector.text)
  expect(quantityAmounts(quantity)).toEqual(vector.amounts)
})

test.each(vectors.condition)('condition $raw', (vector) => {
  const condition = parseCondition(vector.raw)
  if (isFieldError(condition)) {
    expect(condition.code).toBe(vector.error)
    return
  }
  expect({ raw: vector.raw, ...condition, text: conditionText(condition) }).toEqual(vector)
})

test.each(vectors.compare)('compare $field $a $b', ({ field, a, b, score }) => {
  const compared = (x: Value | null, y: Value | null): number =>
    compare(fieldOf(field), x ?? undefined, y ?? undefined, parentOf)
  expect(compared(a, b)).toBeCloseTo(score, 9)
  expect(compared(b, a)).toBeCloseTo(score, 9)
})

test.each(vectors.agreement)('agreement $score $reasons', (vector) => {
  const result = agreement(vector.a, vector.b, schemaOf(vector), {
    categoryParent: parentOf,
    threshold: vector.threshold,
    boxes: vector.boxes,
    minimumIou: vector.minimum_iou,
  })
  expect(result.score).toBeCloseTo(vector.score, 9)
  expect(result.reasons.map(({ code }) => code)).toEqual(vector.reasons)
  expect(result.disputed).toBe(vector.reasons.length > 0)
  if (vector.per_field) expect(result.perField).toEqual(vector.per_field)
})

test.each(vectors.boxes)('boxes $a $b', ({ a, b, pairs }) => {
  const matched = matchBoxes(a, b)
  expect(matched.map((pair) => [pair.a, pair.b])).toEqual(pairs.map(([i, j]) => [i, j]))
  matched.forEach((pair, index) => expect(pair.iou).toBeCloseTo(pairs[index]?.[2] ?? -1, 9))
})

test.each(vectors.numerals)('numeral %s', (text, number) => {
  expect(parseChinese(text)).toBe(number)
})

test('the rules of the language', () => {
  expect(RULES).toEqual(vectors.language_rules)
})

test.each(vectors.language)('language $values', ({ values, schema, world, findings: expected }) => {
  const found = findings(values, vectors.schemas[schema ?? 'default'] ?? DEFAULT_SCHEMA, world)
  expect(found.map((f) => [f.field, f.rule, f.start, f.end, f.fix])).toEqual(expected)
})
