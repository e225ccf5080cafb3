// How a caption reads, and whether it says what the catalog and the picture say. Twin of inference/captions/language.py.

import { parseCondition } from './condition'
import { type Language, isFieldError } from './errors'
import { parseChinese } from './numerals'
import { parseQuantity } from './quantity'
import type { Field, Schema } from './schema'
import { compareSpecs } from './spec'
import { characters, fold, narrow } from './text'
import { packKey } from './units'
import { type Values } from './values'

/** rule: points, 中文, English, 日本語 */
export const RULES: Readonly<Record<string, readonly [number, string, string, string]>> = {
  unit_spacing: [5, '数字与单位之间不留空格', 'No space between number and unit', '数字と単位の間は空けません'],
  mixed_width: [5, '数字和字母用半角', 'Digits and letters are half-width', '数字と英字は半角にします'],
  repeated: [15, '“{text}”重复了', '“{text}” is repeated', '「{text}」が重複しています'],
  contradictory: [25, '“{text}”与完好无损矛盾', '“{text}” contradicts an intact pack', '「{text}」は無傷と矛盾します'],
  vague: [15, '“{text}”太含糊', '“{text}” is vague', '「{text}」は曖昧です'],
  numeral: [10, '数量用阿拉伯数字', 'Amounts are written in digits', '数量は算用数字で書きます'],
  odd_characters: [15, '“{text}”不该出现在描述里', '“{text}” has no place in a caption', '「{text}」は記述に不要です'],
  brackets: [10, '括号不成对', 'Brackets do not pair', '括弧が対になっていません'],
  category_is_sku: [25, '品类写成了 SKU', 'The category is the SKU', 'カテゴリに SKU が書かれています'],
  catalog_differs: [0, '与目录不符：目录为“{text}”', 'Differs from the catalog: “{text}”', 'カタログは「{text}」です'],
  boxes_differ: [0, '画了 {text} 个框', '{text} boxes are drawn', '枠は {text} 個です'],
  weight_differs: [0, '按称重应为 {text}', 'By weight there are {text}', '重量からは {text} です'],
  barcode_differs: [0, '照片上的条码属于“{text}”', 'The barcode in the picture is that of “{text}”', '写真のバーコードは「{text}」のものです'],
}

const SPACED = /(?<=[0-9])[ \u3000]+(?=[A-Za-z\u4e00-\u9fff])/gu
const WIDE = /[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff05\uff0b\uff0d\uff0a\uff0f]+/gu
const REPEATED = /([^0-9\s.])\1{3,}|([^0-9\s]{2,}?)\2+/gu
// eslint-disable-next-line no-control-regex
const ODD = /[\ufffd\x00-\x1f]+|[?？!！~～]+|[.]{3,}|…+/gu
const HEDGE = /大概是?|大约是?|可能是?|好像是?|应该是|估计是?|差不多|左右/gu
const VAGUE = /一个盒子|一个箱子|一个东西|一个商品|某种|某个|若干|一些|一堆|好几|东西|之类|等等|不明|something|some kind of|いくつか|何か/gu
const NUMERAL = /[零〇一二两三四五六七八九十百]+(?=[箱瓶袋盒罐件包个支听桶杯盘托片条组套双])/gu
const DAMAGE = /(?<![无没未不破裂漏渗凹撕湿脏])(?:破|裂|漏|渗|压痕|凹|变形|撕|湿|脏)/u
/** Of what was weighed: packing and filling vary, so a weight tells counts no closer than this. */
const WEIGHT_TOLERANCE = 0.05
const BRACKETS = ['()', '（）', '[]', '“”', '《》'] as const

/**
 * The catalog's values of the chosen SKU by field, how many boxes are drawn (0: none), the SKUs whose barcodes were read in the picture,
 * and what the goods weigh, with what one `unit` of the chosen SKU does, in grams (0: not known).
 */
export interface World {
  readonly catalog?: Readonly<Record<string, string>>
  readonly boxes?: number
  readonly barcodes?: readonly string[]
  readonly weight_g?: number
  readonly unit_weight_g?: number
  readonly unit?: string
}

/** What a rule found in a field, at [start, end) in Unicode characters; `fix` is the whole value as it should be. */
export interface Finding {
  readonly field: string
  readonly rule: string
  readonly start: number
  readonly end: number
  readonly text: string
  readonly fix: string | null
}

export function findingMessage({ rule, text }: Finding, language: Language): string {
  const words = RULES[rule]?.[(['zh', 'en', 'ja'] as const).indexOf(language) + 1]
  return typeof words === 'string' ? words.replace('{text}', text) : rule
}

/** What there is to say of a caption's values, field by field. */
export function findings(values: Values, schema: Schema, world: World = {}): Finding[] {
  const codes = schema.fields.filter((f) => f.kind === 'sku').map((f) => values[f.key])
  return schema.fields.flatMap((f) => {
    const value = values[f.key]
    if (typeof value !== 'string' || value === '') return []
    if (f.kind === 'sku') return ofBarcodes(f, value, world.barcodes ?? [])
    return [
      ...ofText(f, value),
      ...ofKind(f, value, codes.filter((code) => typeof code === 'string')),
      ...ofWorld(f, value, world),
    ]
  })
}

function ofText(f: Field, value: string): Finding[] {
  const found = [
    ...each(f, 'mixed_width', WIDE, value, (m) => m[0].normalize('NFKC')),
    ...each(f, 'repeated', REPEATED, value, (m) => m[1] ?? m[2] ?? ''),
    ...each(f, 'odd_characters', ODD, value, () => ''),
    ...each(f, 'vague', HEDGE, value, () => ''),
    ...[...value.matchAll(VAGUE)].map((m) => at(f, 'vague', value, m.index, m[0])),
  ]
  for (const pair of BRACKETS) {
    const [open, close] = [...pair] as [string, string]
    if (value.split(open).length === value.split(close).length) continue
    const place = Math.min(...[open, close].map((c) => value.indexOf(c)).filter((n) => n >= 0))
    found.push(at(f, 'brackets', value, place, value.charAt(place)))
  }
  return found
}

function ofKind(f: Field, value: string, codes: readonly string[]): Finding[] {
  const found: Finding[] = []
  if (f.kind === 'spec' || f.kind === 'quantity') found.push(...each(f, 'unit_spacing', SPACED, value, () => ''))
  if (f.kind === 'quantity') found.push(...each(f, 'numeral', NUMERAL, value, (m) => String(parseChinese(m[0]))))
  if (f.kind === 'condition') {
    const condition = parseCondition(value)
    const match = isFieldError(condition) || condition.grade > 0 ? null : DAMAGE.exec(condition.detail)
    if (match && !isFieldError(condition)) {
      found.push(at(f, 'contradictory', value, value.length - condition.detail.length + match.index, match[0]))
    }
  }
  if (f.kind === 'category' && codes.some((code) => fold(code) === fold(value))) {
    found.push(at(f, 'category_is_sku', value, 0, value))
  }
  return found
}

function ofWorld(f: Field, value: string, world: World): Finding[] {
  const { catalog = {}, boxes = 0 } = world
  const found: Finding[] = []
  const known = catalog[f.key]
  if (known) {
    const same = f.kind === 'spec' ? compareSpecs(value, known) === 1 : fold(value) === fold(known)
    if (!same) found.push({ ...at(f, 'catalog_differs', value, 0, value), text: known, fix: known })
  }
  if (f.kind === 'quantity') {
    const quantity = parseQuantity(value)
    const [part, more] = isFieldError(quantity) ? [] : quantity
    if (!part || more) return found
    if (boxes > 0 && Number(part.number) !== boxes) {
      found.push({ ...at(f, 'boxes_differ', value, 0, value), text: String(boxes), fix: `${String(boxes)}${part.unit}` })
    }
    found.push(...ofWeight(f, value, Number(part.number), part.unit, world))
  }
  return found
}

/**
 * A count whose weight is off by more than half a unit and more than the tolerance. What is counted in another unit than the one
 * whose weight is known is not held against it.
 */
function ofWeight(f: Field, value: string, number: number, counted: string, { weight_g = 0, unit_weight_g = 0, unit = '' }: World): Finding[] {
  const other = counted !== '' && unit !== '' && packKey(counted) !== packKey(narrow(unit))
  if (weight_g <= 0 || unit_weight_g <= 0 || other) return []
  if (Math.abs(weight_g - number * unit_weight_g) <= Math.max(unit_weight_g / 2, weight_g * WEIGHT_TOLERANCE)) return []
  const count = Math.floor(weight_g / unit_weight_g + 0.5)
  const text = `${String(count)}${counted || unit}`
  return [{ ...at(f, 'weight_differs', value, 0, value), text, fix: count > 0 ? text : null }]
}

/** A SKU none of whose barcodes was read, where another's was. It is mended where one alone was. */
function ofBarcodes(f: Field, value: string, codes: readonly string[]): Finding[] {
  const read = new Map(codes.map((code) => [fold(code), code]))
  if (read.size === 0 || read.has(fold(value))) return []
  const named = [...read.values()]
  return [{ ...at(f, 'barcode_differs', value, 0, value), text: named.join('、'), fix: named.length === 1 ? (named[0] ?? null) : null }]
}

/** A finding for each match; the fix mends all of them. */
function each(f: Field, rule: string, pattern: RegExp, value: string, mended: (match: RegExpExecArray) => string): Finding[] {
  const matches = [...value.matchAll(pattern)]
  let fixed = ''
  let last = 0
  for (const match of matches) {
    fixed += value.slice(last, match.index) + mended(match)
    last = match.index + match[0].length
  }
  fixed = (fixed + value.slice(last)).trim()
  return matches.map((match) => ({ ...at(f, rule, value, match.index, match[0]), fix: fixed || null }))
}

function at(f: Field, rule: string, value: string, index: number, text: string): Finding {
  const start = characters(value.slice(0, index))
  return { field: f.key, rule, start, end: start + characters(text), text, fix: null }
}
