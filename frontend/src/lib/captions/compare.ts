// Comparing captions: per field, and as the agreement of two annotators. Twin of inference/captions/compare.py.

import { type Box, lowestIou } from './boxes'
import { compareConditions, gradesApart } from './condition'
import { type FieldError, fieldError, isFieldError } from './errors'
import { compareQuantities } from './quantity'
import { DEFAULT_SCHEMA, type Field, type Schema } from './schema'
import { compareSpecs } from './spec'
import { fold, similarity } from './text'
import { type Value, type Values, isUnknown, normaliseValue } from './values'

/** The parent of a category by its name; undefined for a root. */
export type CategoryParent = (name: string) => string | null | undefined

const DEFAULT_THRESHOLD = 0.85
const MINIMUM_IOU = 0.5
const DISPUTED_GRADES = 2

/** `score` is the weighted mean of `perField`, all in 0…1. Without `reasons` the annotators agree. */
export interface Agreement {
  readonly score: number
  readonly perField: Readonly<Record<string, number>>
  readonly reasons: readonly FieldError[]
  readonly disputed: boolean
}

export interface AgreementOptions {
  readonly categoryParent?: CategoryParent | undefined
  readonly threshold?: number | undefined
  /** The boxes of both, where the project requires them. */
  readonly boxes?: readonly [readonly Box[], readonly Box[]] | undefined
  readonly minimumIou?: number | undefined
}

/** How far two values of `field` agree, in 0…1, symmetric; undefined is a field left out. */
export function compare(
  field: Field,
  a: Value | undefined,
  b: Value | undefined,
  categoryParent?: CategoryParent,
): number {
  if (a === undefined || b === undefined) return a === b ? 1 : 0
  if (isUnknown(a) || isUnknown(b)) return isUnknown(a) && isUnknown(b) ? 1 : 0
  const x = canonical(field, a)
  const y = canonical(field, b)
  switch (field.kind) {
    case 'spec':
      return compareSpecs(x, y)
    case 'quantity':
      return compareQuantities(x, y)
    case 'condition':
      return compareConditions(x, y)
    case 'text':
      return similarity(x, y)
    case 'category':
      return compareCategories(x, y, categoryParent)
    case 'sku':
    case 'date':
    case 'choice':
      return fold(x) === fold(y) ? 1 : 0
  }
}

function canonical(field: Field, raw: string): string {
  const value = normaliseValue(field, raw)
  return isFieldError(value) ? raw : value
}

/** 1 for the same category, .5 for the same parent, else 0. */
function compareCategories(a: string, b: string, parentOf?: CategoryParent): number {
  if (fold(a) === fold(b)) return 1
  const parentA = parentOf?.(a)
  const parentB = parentOf?.(b)
  return parentA && parentB && fold(parentA) === fold(parentB) ? 0.5 : 0
}

/** The agreement of two annotations, with the reasons for which they are in dispute. */
export function agreement(
  a: Values,
  b: Values,
  schema: Schema = DEFAULT_SCHEMA,
  options: AgreementOptions = {},
): Agreement {
  const { threshold = DEFAULT_THRESHOLD, minimumIou = MINIMUM_IOU, boxes, categoryParent } = options
  const scores = schema.fields.map(
    (field) => [field, compare(field, a[field.key], b[field.key], categoryParent)] as const,
  )
  const total = schema.fields.reduce((sum, { weight }) => sum + weight, 0)
  const score = Math.min(1, scores.reduce((sum, [f, value]) => sum + f.weight * value, 0) / total)
  const reasons = scores.flatMap(([field, value]) => fieldReasons(field, value, a, b))
  const lowest = boxes ? lowestIou(boxes[0], boxes[1]) : 1
  if (boxes && lowest < minimumIou) {
    reasons.push(fieldError('boxes_differ', { iou: rounded(lowest), minimum: minimumIou }))
  }
  if (score < threshold - 1e-9) {
    reasons.unshift(fieldError('low_agreement', { score: rounded(score), threshold }))
  }
  return {
    score,
    perField: Object.fromEntries(scores.map(([field, value]) => [field.key, value])),
    reasons,
    disputed: reasons.length > 0,
  }
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}

function fieldReasons(field: Field, score: number, a: Values, b: Values): FieldError[] {
  if ((field.kind === 'sku' || field.kind === 'quantity') && score < 1) {
    return [fieldError(`${field.kind}_differs`, {}, field.key)]
  }
  const first = a[field.key]
  const second = b[field.key]
  if (field.kind === 'condition' && typeof first === 'string' && typeof second === 'string') {
    const apart = gradesApart(first, second)
    if (apart !== null && apart >= DISPUTED_GRADES) {
      return [fieldError('condition_differs', { grades: apart }, field.key)]
    }
  }
  return []
}
