// What can be wrong with a caption, by code, with its words. Twin of inference/captions/errors.py.

export type Language = 'zh' | 'en' | 'ja'

/** Text by code and language; `{name}` stands for a parameter. */
export const MESSAGES: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
  unlabelled_text: {
    zh: '“{text}”前缺少字段名，请写成【字段】内容',
    en: '“{text}” has no field label; write 【label】value',
    ja: '「{text}」の前に項目名がありません。【項目】値と書いてください',
  },
  unknown_field: {
    zh: '没有“{label}”这个字段，可用：{labels}；若是内容，请在括号前加反斜杠',
    en: 'There is no field “{label}”; use {labels}, or put \\ before a literal bracket',
    ja: '項目「{label}」はありません。使えるのは {labels}。値の括弧なら前に \\ を付けます',
  },
  duplicate_field: {
    zh: '“{label}”写了两次且内容不同，请只留一个',
    en: '“{label}” is given twice with different values; keep one',
    ja: '「{label}」が異なる値で二度あります。一つにしてください',
  },
  missing_field: {
    zh: '缺少“{label}”，请补上；看不清时写“看不清”',
    en: '“{label}” is missing; fill it in, or write 看不清 when it cannot be seen',
    ja: '「{label}」がありません。見えない場合は「看不清」と書いてください',
  },
  empty_value: {
    zh: '“{label}”没有内容，请补上；看不清时写“看不清”',
    en: '“{label}” is empty; fill it in, or write 看不清 when it cannot be seen',
    ja: '「{label}」が空です。見えない場合は「看不清」と書いてください',
  },
  too_long: {
    zh: '“{label}”有 {length} 字，最多 {limit} 字',
    en: '“{label}” has {length} characters; at most {limit}',
    ja: '「{label}」は {length} 文字です。{limit} 文字以内にしてください',
  },
  invalid_sku: {
    zh: '“{text}”不是 SKU 编码，编码里要有字母或数字',
    en: '“{text}” is not an SKU code; a code has letters or digits',
    ja: '「{text}」は SKU コードではありません。文字か数字が必要です',
  },
  invalid_spec: {
    zh: '规格“{text}”读不懂，请写成 500ml×6瓶/箱 的形式',
    en: 'The spec “{text}” cannot be read; write it like 500ml×6瓶/箱',
    ja: '規格「{text}」を読めません。500ml×6瓶/箱 のように書いてください',
  },
  dangling_operator: {
    zh: '规格里的“{operator}”前后要有内容，例如 500ml×6瓶/箱',
    en: '“{operator}” in the spec needs something on both sides, as in 500ml×6瓶/箱',
    ja: '規格の「{operator}」の前後に値が必要です。例：500ml×6瓶/箱',
  },
  zero_amount: {
    zh: '规格里的数不能是 0',
    en: 'An amount in the spec cannot be 0',
    ja: '規格の数値は 0 にできません',
  },
  number_out_of_range: {
    zh: '“{text}”超出范围：整数部分最多 9 位，小数最多 6 位',
    en: '“{text}” is out of range: at most 9 digits before the point and 6 after',
    ja: '「{text}」は範囲外です。整数部は 9 桁、小数部は 6 桁までです',
  },
  invalid_quantity: {
    zh: '数量“{text}”读不懂，请写数字加单位，例如 12箱',
    en: 'The quantity “{text}” cannot be read; write a number and a unit, as in 12箱',
    ja: '数量「{text}」を読めません。12箱 のように数と単位で書いてください',
  },
  repeated_unit: {
    zh: '数量里“{unit}”出现了两次，请合并成一个数',
    en: 'The unit “{unit}” occurs twice in the quantity; add the numbers up',
    ja: '数量に単位「{unit}」が二度あります。一つの数にまとめてください',
  },
  invalid_condition: {
    zh: '状态“{text}”读不懂，请以这些词开头：{grades}（或 1–5）',
    en: 'The condition “{text}” cannot be read; start with one of {grades} (or 1–5)',
    ja: '状態「{text}」を読めません。{grades}（または 1–5）で始めてください',
  },
  invalid_date: {
    zh: '“{text}”不是日期，请写成 2025-03-01',
    en: '“{text}” is not a date; write it like 2025-03-01',
    ja: '「{text}」は日付ではありません。2025-03-01 のように書いてください',
  },
  not_an_option: {
    zh: '“{text}”不在选项中，可选：{options}',
    en: '“{text}” is not an option; choose from {options}',
    ja: '「{text}」は選択肢にありません。{options} から選んでください',
  },
  too_many_errors: {
    zh: '问题太多，只列出前 {limit} 个',
    en: 'Too many problems; only the first {limit} are listed',
    ja: '問題が多すぎるため、最初の {limit} 件のみ表示します',
  },
  low_agreement: {
    zh: '一致度 {score} 低于 {threshold}',
    en: 'Agreement {score} is below {threshold}',
    ja: '一致度 {score} が {threshold} を下回っています',
  },
  sku_differs: {
    zh: 'SKU 不同',
    en: 'The SKUs differ',
    ja: 'SKU が異なります',
  },
  quantity_differs: {
    zh: '数量不同',
    en: 'The quantities differ',
    ja: '数量が異なります',
  },
  condition_differs: {
    zh: '状态相差 {grades} 级',
    en: 'The conditions are {grades} grades apart',
    ja: '状態が {grades} 段階違います',
  },
  boxes_differ: {
    zh: '框不一致：最低 IoU {iou}，要求 {minimum}',
    en: 'The boxes differ: lowest IoU {iou}, required {minimum}',
    ja: '枠が一致しません。最小 IoU {iou}、必要 {minimum}',
  },
}

export type Params = Readonly<Record<string, string | number | readonly string[]>>

/** One thing that is wrong: `code` is stable, `params` fill its message. `position` counts Unicode
 * characters (not UTF-16 units) from the start of the text, or is null when there is no place. */
export interface FieldError {
  readonly code: string
  readonly params: Params
  readonly field: string | null
  readonly position: number | null
}

export function fieldError(
  code: string,
  params: Params = {},
  field: string | null = null,
  position: number | null = null,
): FieldError {
  return { code, params, field, position }
}

export function isFieldError(value: unknown): value is FieldError {
  return typeof value === 'object' && value !== null && 'code' in value && 'params' in value
}

/** What is wrong and how to mend it, in `language`; the code itself when it is not known. */
export function message(error: Pick<FieldError, 'code' | 'params'>, language: Language = 'zh'): string {
  const text = MESSAGES[error.code]?.[language] ?? error.code
  return Object.entries(error.params).reduce(
    (filled, [name, value]) =>
      filled.replaceAll(`{${name}}`, () => (Array.isArray(value) ? value.join(' / ') : String(value))),
    text,
  )
}

/** Values that cannot be written as a caption; `errors` says which and why. */
export class CaptionError extends Error {
  readonly errors: readonly FieldError[]

  constructor(errors: readonly FieldError[]) {
    super(errors.map((error) => `${error.field ?? '-'}: ${message(error, 'en')}`).join('; '))
    this.name = 'CaptionError'
    this.errors = errors
  }
}

/** `text`, cut to `limit` characters for use in a message. */
export function excerpt(text: string, limit = 40): string {
  const chars = [...text]
  return chars.length <= limit ? text : `${chars.slice(0, limit - 1).join('')}…`
}
