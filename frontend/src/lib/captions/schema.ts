// The caption schema: which fields a project's captions have. Twin of inference/captions/schema.py;
// schemas are checked on the server, which alone stores them.

import { fold } from './text'

export type Kind =
  | 'sku'
  | 'category'
  | 'spec'
  | 'quantity'
  | 'condition'
  | 'text'
  | 'date'
  | 'choice'

/** One field of a caption; its properties are those of the schema's JSON. */
export interface Field {
  readonly key: string
  readonly kind: Kind
  readonly label: Readonly<Record<'zh' | 'en' | 'ja', string>>
  readonly required: boolean
  readonly weight: number
  readonly options: readonly string[]
  readonly aliases: readonly string[]
}

export interface Schema {
  readonly fields: readonly Field[]
}

/** Fields by the `fold` form of each name under which they are read. */
export function fieldsByName(schema: Schema): Map<string, Field> {
  const names = new Map<string, Field>()
  for (const field of schema.fields) {
    for (const name of [...Object.values(field.label), field.key, ...field.aliases]) {
      names.set(fold(name), field)
    }
  }
  return names
}

/** The five fields every site starts with. */
export const DEFAULT_SCHEMA: Schema = {
  fields: [
    {
      key: 'sku',
      kind: 'sku',
      label: { zh: 'SKU', en: 'SKU', ja: 'SKU' },
      required: true,
      weight: 0.4,
      options: [],
      aliases: ['货号', '编码', '商品编码', '品番', 'SKU编码', 'SKU code'],
    },
    {
      key: 'category',
      kind: 'category',
      label: { zh: '品类', en: 'Category', ja: 'カテゴリ' },
      required: true,
      weight: 0.1,
      options: [],
      aliases: ['类别', '分类', '品類', 'カテゴリー'],
    },
    {
      key: 'spec',
      kind: 'spec',
      label: { zh: '规格', en: 'Spec', ja: '規格' },
      required: true,
      weight: 0.15,
      options: [],
      aliases: ['specification', 'size', '仕様'],
    },
    {
      key: 'quantity',
      kind: 'quantity',
      label: { zh: '数量', en: 'Quantity', ja: '数量' },
      required: true,
      weight: 0.2,
      options: [],
      aliases: ['qty', 'count', '數量', '個数'],
    },
    {
      key: 'condition',
      kind: 'condition',
      label: { zh: '状态', en: 'Condition', ja: '状態' },
      required: true,
      weight: 0.15,
      options: [],
      aliases: ['状况', 'status', 'state', '狀態'],
    },
  ],
}
