// Boxes [x, y, w, h] in pixels: overlap and matching. Twin of inference/captions/boxes.py.

export type Box = readonly [x: number, y: number, w: number, h: number]

/** Matching is exact while one side has at most this many boxes. */
export const EXACT_LIMIT = 8

/** Box `a` of the first list matches box `b` of the second (places in the lists). */
export interface Pair {
  readonly a: number
  readonly b: number
  readonly iou: number
}

/** Intersection over union in 0…1; 0 when both boxes are empty. */
export function iou(a: Box, b: Box): number {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0])
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1])
  const shared = Math.max(0, width) * Math.max(0, height)
  const union = a[2] * a[3] + b[2] * b[3] - shared
  return union > 0 ? shared / union : 0
}

/** Pair the boxes of two lists so that the sum of IoU is greatest, ordered by `a`. Exact while one
 * list has at most 8 boxes; beyond, the best overlap first. Pairs without overlap are left out. */
export function matchBoxes(a: readonly Box[], b: readonly Box[]): readonly Pair[] {
  if (b.length > a.length) {
    return matchBoxes(b, a)
      .map((pair) => ({ a: pair.b, b: pair.a, iou: pair.iou }))
      .sort((x, y) => x.a - y.a)
  }
  const pairs = a.map((x, i) =>
    b.map((y, j) => ({ a: i, b: j, iou: iou(x, y) })).filter((pair) => pair.iou > 0),
  )
  const chosen = b.length <= EXACT_LIMIT ? matchExactly(pairs) : matchGreedily(pairs.flat())
  return [...chosen].sort((x, y) => x.a - y.a)
}

interface Partial {
  readonly total: number
  readonly chosen: readonly Pair[]
}

/** `best` holds the greatest sum so far per set of used boxes of the shorter list. */
function matchExactly(rows: readonly (readonly Pair[])[]): readonly Pair[] {
  let best = new Map<number, Partial>([[0, { total: 0, chosen: [] }]])
  for (const row of rows) {
    const after = new Map(best)
    for (const [used, { total, chosen }] of best) {
      for (const pair of row) {
        if ((used >> pair.b) & 1) continue
        const key = used | (1 << pair.b)
        const sum = total + pair.iou
        if (sum > (after.get(key)?.total ?? -1)) {
          after.set(key, { total: sum, chosen: [...chosen, pair] })
        }
      }
    }
    best = after
  }
  return [...best.values()].reduce((x, y) => (y.total > x.total ? y : x)).chosen
}

function matchGreedily(pairs: readonly Pair[]): readonly Pair[] {
  const rows = new Set<number>()
  const columns = new Set<number>()
  const chosen: Pair[] = []
  for (const pair of [...pairs].sort((x, y) => y.iou - x.iou || x.a - y.a || x.b - y.b)) {
    if (rows.has(pair.a) || columns.has(pair.b)) continue
    rows.add(pair.a)
    columns.add(pair.b)
    chosen.push(pair)
  }
  return chosen
}

/** The smallest IoU among matched boxes; 0 when a box has no match, 1 when there are none. */
export function lowestIou(a: readonly Box[], b: readonly Box[]): number {
  const pairs = matchBoxes(a, b)
  if (a.length !== b.length || pairs.length !== a.length) return 0
  return Math.min(1, ...pairs.map((pair) => pair.iou))
}
