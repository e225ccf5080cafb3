// Units: measures with their factors, and the names of packs. Twin of inference/captions/units.py.

export type Dimension = 'volume' | 'mass' | 'length'

export interface Measure {
  readonly dimension: Dimension
  /** To the base unit: ml, g, mm. */
  readonly factor: number
  /** As it is written in captions. */
  readonly symbol: string
}

const MEASURE_TABLE: readonly (readonly [Dimension, number, string, readonly string[]])[] = [
  ['volume', 1, 'ml', ['ml', 'cc', '毫升', 'ミリリットル']],
  ['volume', 10, 'cl', ['cl', '厘升']],
  ['volume', 100, 'dl', ['dl', '分升']],
  ['volume', 1000, 'L', ['l', '升', '公升', 'リットル']],
  ['mass', 0.001, 'mg', ['mg', '毫克']],
  ['mass', 1, 'g', ['g', '克', 'グラム']],
  ['mass', 500, '斤', ['斤', '市斤']],
  ['mass', 1000, 'kg', ['kg', '千克', '公斤', 'キログラム', 'キロ']],
  ['length', 1, 'mm', ['mm', '毫米', 'ミリ']],
  ['length', 10, 'cm', ['cm', '厘米', '公分', 'センチ']],
  ['length', 1000, 'm', ['m', '米', 'メートル']],
]

/** Measures by lower-case name. */
export const MEASURES: ReadonlyMap<string, Measure> = new Map(
  MEASURE_TABLE.flatMap(([dimension, factor, symbol, names]) =>
    names.map((name) => [name, { dimension, factor, symbol }] as const),
  ),
)

const PACK_TABLE: Readonly<Record<string, readonly string[]>> = {
  箱: ['box', 'boxes', 'case', 'cases', 'carton', 'cartons', 'ctn', 'ctns', 'ケース'],
  盒: ['盒子', '小盒'],
  瓶: ['bottle', 'bottles', 'btl', 'btls', 'ボトル'],
  罐: ['can', 'cans', 'tin', 'tins', 'jar', 'jars', '缶', '听'],
  袋: ['bag', 'bags', 'sack', 'sacks', 'pouch', 'pouches'],
  包: ['pack', 'packs', 'packet', 'packets', 'pk', 'パック'],
  件: ['个', '個', '只', '隻', '点', '個入', 'pc', 'pcs', 'piece', 'pieces', 'ea', 'unit', 'units'],
  桶: ['bucket', 'buckets', 'barrel', 'barrels'],
  卷: ['roll', 'rolls', '巻'],
  支: ['tube', 'tubes', '本'],
  张: ['sheet', 'sheets', '張', '枚'],
  托: ['pallet', 'pallets', '托盘', 'パレット'],
  打: ['dozen', 'dozens', 'dz', 'ダース'],
}

const PACK_KEYS: ReadonlyMap<string, string> = new Map(
  Object.entries(PACK_TABLE).flatMap(([key, names]) =>
    [key, ...names].map((name) => [name, key] as const),
  ),
)

const longestFirst = (names: Iterable<string>): readonly string[] =>
  [...names].sort((a, b) => b.length - a.length || (a < b ? -1 : 1))

export const MEASURE_NAMES = longestFirst(MEASURES.keys())
export const PACK_NAMES = longestFirst(PACK_KEYS.keys())

/** The key of units that only say piece (个, 件, 只, pcs). */
export const GENERIC_PACK = '件'

export const DOZEN = '打'

// eslint-disable-next-line no-control-regex
const ASCII = /^[\x00-\x7f]*$/

export function isAscii(text: string): boolean {
  return ASCII.test(text)
}

/** The key under which two names of a pack are the same: 个, 件 and pcs give 件. */
export function packKey(unit: string): string {
  let name = unit.toLowerCase()
  if (name.length > 1 && name.endsWith('装')) name = name.slice(0, -1)
  return PACK_KEYS.get(name) ?? name
}

/** `unit` as captions write it: Latin names become Chinese (12 boxes → 箱), others stay. */
export function packName(unit: string): string {
  return isAscii(unit) && PACK_KEYS.has(unit.toLowerCase()) ? packKey(unit) : unit
}
