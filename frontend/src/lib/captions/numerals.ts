// Numbers as people write them: 12, 1,200, 3.5, 3万, 十二, 两百零五, 半.
// Twin of inference/captions/numerals.py.

const DIGITS: ReadonlyMap<string, number> = new Map([
  ...[...'零一二三四五六七八九'].map((char, i) => [char, i] as const),
  ...[...'〇壹贰叁肆伍陆柒捌玖'].map((char, i) => [char, i] as const),
  ['两', 2],
  ['兩', 2],
  ['貳', 2],
  ['參', 3],
  ['陸', 6],
])
const SMALL_UNITS: ReadonlyMap<string, number> = new Map([
  ['十', 10],
  ['拾', 10],
  ['百', 100],
  ['佰', 100],
  ['千', 1000],
  ['仟', 1000],
])
const SCALE_ZEROS: ReadonlyMap<string, number> = new Map([
  ['百', 2],
  ['千', 3],
  ['万', 4],
  ['萬', 4],
  ['亿', 8],
  ['億', 8],
])

const CHINESE =
  '(?:[零一二三四五六七八九〇壹贰叁肆伍陆柒捌玖两兩貳參陸十拾百佰仟万萬亿億]|千(?![克米]))'
const WHOLE = '(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)'
/** A number in a chain of dots (1.0.1) is whole: a chain is no decimal. */
const ARABIC = `(?:(?<![0-9]\\.)${WHOLE}(?:\\.[0-9]+(?![0-9]|\\.[0-9]))?|${WHOLE})`

// 千 before 克 or 米 belongs to the unit.
const NUMBER = new RegExp(
  `(?<arabic>${ARABIC})(?<scale>[百万萬亿億]|千(?![克米]))?|(?<chinese>${CHINESE}+)|(?<half>半)`,
  'y',
)

/** Every character that a number can have, for use in a character class. */
export const NUMERAL_CHARS =
  '0-9零一二三四五六七八九〇壹贰叁肆伍陆柒捌玖两兩貳參陸十拾百佰千仟万萬亿億半'

const MAX_INTEGER_DIGITS = 9
const MAX_DECIMALS = 6

export interface NumberMatch {
  readonly text: string
  readonly end: number
  readonly arabic: boolean
  /** The plain decimal form (`1200`, `0.5`), or null when it is no number or out of range. */
  readonly decimal: string | null
}

/** The number at `place` in half-width text, or null. */
export function matchNumber(text: string, place: number): NumberMatch | null {
  NUMBER.lastIndex = place
  const match = NUMBER.exec(text)
  if (!match) return null
  const { arabic, scale, chinese, half } = match.groups ?? {}
  return {
    text: match[0],
    end: place + match[0].length,
    arabic: arabic !== undefined,
    decimal: decimalText(arabic, scale, chinese, half),
  }
}

function decimalText(arabic?: string, scale?: string, chinese?: string, half?: string): string | null {
  if (half) return '0.5'
  if (chinese) {
    const number = parseChinese(chinese)
    return number === null ? null : plain(String(number), '')
  }
  let [integer = '', decimals = ''] = (arabic ?? '').replaceAll(',', '').split('.')
  if (scale) {
    const zeros = SCALE_ZEROS.get(scale) ?? 0
    const padded = decimals.padEnd(zeros, '0')
    integer += padded.slice(0, zeros)
    decimals = padded.slice(zeros)
  }
  return plain(integer, decimals)
}

function plain(integer: string, decimals: string): string | null {
  const whole = integer.replace(/^0+/, '') || '0'
  const rest = decimals.replace(/0+$/, '')
  if (whole.length > MAX_INTEGER_DIGITS || rest.length > MAX_DECIMALS) return null
  return rest ? `${whole}.${rest}` : whole
}

/** The number that a Chinese numeral stands for, or null. */
export function parseChinese(text: string): number | null {
  const chars = [...text]
  if (chars.length > 0 && chars.every((char) => DIGITS.has(char))) {
    return chars.length < 16 ? Number(chars.map((char) => DIGITS.get(char)).join('')) : null
  }
  let total = 0
  let rest = chars
  let lastBig = 1e12
  for (const [big, value] of [
    ['亿億', 1e8],
    ['万萬', 1e4],
  ] as const) {
    const places = rest.flatMap((char, i) => (big.includes(char) ? [i] : []))
    if (places.length > 1) return null
    const [place] = places
    if (place === undefined) continue
    const section = parseSection(rest.slice(0, place), lastBig)
    if (!section) return null
    rest = rest.slice(place + 1)
    total += section * value
    lastBig = value
    if (rest.length === 0) return total
  }
  const section = parseSection(rest, lastBig)
  return section === null ? null : total + section
}

/** A numeral below 10,000 that follows the big unit `above`, or null. */
function parseSection(chars: readonly string[], above: number): number | null {
  let total = 0
  let digit: number | null = null
  let unit = above
  let zero = false
  for (const char of chars) {
    const small = SMALL_UNITS.get(char)
    const value = DIGITS.get(char)
    if (small !== undefined) {
      if (small >= Math.min(unit, 1e4)) return null
      if (digit === null && (!'十拾'.includes(char) || total > 0)) return null
      unit = small
      total += (digit ?? 1) * unit
      digit = null
      zero = false
    } else if (value !== undefined) {
      if (digit !== null) return null
      if (value === 0) {
        if (zero) return null
        zero = true
      } else {
        digit = value
      }
    } else {
      return null
    }
  }
  if (digit === null) return (zero && total === 0) || chars.length === 0 ? null : total
  const colloquial = !zero && unit >= 100 && unit <= 1e8
  return total + digit * (colloquial ? unit / 10 : 1)
}
