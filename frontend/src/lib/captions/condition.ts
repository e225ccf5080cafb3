// Conditions: one of five ordered grades of damage, with free detail after it.
// Twin of inference/captions/condition.py.

import { type FieldError, excerpt, fieldError, isFieldError } from './errors'
import { fold, narrow, strip, tidy } from './text'
import { isAscii } from './units'

/** From sound to worst; a grade's number is its place here, from 0. */
export const GRADES = ['完好无损', '轻微压痕', '明显变形', '破损', '渗漏'] as const

const SYNONYMS: readonly string[] = [
  '完好无损|完好|完整无损|完整|无破损|无损坏|无损伤|无损|无异常|良好|正常|intact|undamaged|no damage|good|' +
    'ok|perfect|無傷|損傷なし|異常なし|問題なし|完好無損|1级|1',
  '轻微压痕|轻微凹痕|轻微磨损|轻微变形|轻微褶皱|轻微|压痕|凹痕|minor dent|slight dent|slightly dented|' +
    'dented|dent|軽いへこみ|へこみ|凹み|輕微壓痕|2级|2',
  '明显变形|严重变形|变形|严重压痕|明显压痕|压扁|deformed|deformation|crushed|変形|明顯變形|3级|3',
  '破损|轻微破损|严重破损|包装破损|破裂|撕裂|开裂|破洞|损坏|damaged|damage|torn|broken|破損|破れ|4级|4',
  '渗漏|轻微渗漏|严重渗漏|渗液|泄漏|漏液|漏水|leaking|leaked|leakage|leak|漏れ|液漏れ|滲漏|5级|5',
]
const GRADE_OF: ReadonlyMap<string, number> = new Map(
  SYNONYMS.flatMap((names, grade) => names.split('|').map((name) => [name, grade] as const)),
)
const LONGEST_FIRST = [...GRADE_OF.keys()].sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
// A Latin name or a digit ends where the word does: good is no prefix of goods, 1 none of 1箱.
const LATIN_NAMES = LONGEST_FIRST.filter(isAscii).join('|')
const CHINESE_NAMES = LONGEST_FIRST.filter((name) => !isAscii(name)).join('|')
const START = new RegExp(`^(?:(?:${LATIN_NAMES})(?=$|[ ,;:.()、。—-])|(?:${CHINESE_NAMES}))`)
const SEPARATORS = '，,；;：:、。. —–-'

/** `grade` counts from 0 (sound) to 4 (leaking); `detail` is free text, or empty. */
export interface Condition {
  readonly grade: number
  readonly detail: string
}

/** The canonical form, for example `破损，左上角`. */
export function conditionText({ grade, detail }: Condition): string {
  const name = GRADES[grade] ?? ''
  return detail ? `${name}，${detail}` : name
}

/** Read a condition: a grade, a synonym of one, or a digit 1–5 (① too), then free detail. */
export function parseCondition(raw: string): Condition | FieldError {
  const text = tidy(raw)
  // The grade is matched on the half-width text, the detail keeps its own width: NFKC can change
  // lengths, so the two are aligned character by character.
  let low = ''
  const origin = [0]
  let end = 0
  for (const char of text) {
    end += char.length
    const narrowed = (narrow(char) || ' ').toLowerCase()
    low += narrowed
    for (let i = 0; i < narrowed.length; i += 1) origin.push(end)
  }
  const match = START.exec(low)
  if (!match) {
    return fieldError('invalid_condition', { text: excerpt(text), grades: [...GRADES] })
  }
  return {
    grade: GRADE_OF.get(match[0]) ?? 0,
    detail: bareDetail(text.slice(origin[match[0].length])),
  }
}

/** Detail without what sets it apart from the grade: separators before, parentheses around. */
function bareDetail(detail: string): string {
  let text = detail
  for (;;) {
    let bare = strip(strip(text, SEPARATORS, 'start'), ' ', 'end')
    if (bare.length > 1 && '(（'.includes(bare.charAt(0)) && ')）'.includes(bare.slice(-1))) {
      bare = strip(bare.slice(1, -1), ' ')
    }
    if (bare === text) return bare
    text = bare
  }
}

/** 1 − distance / 4 between the grades; detail does not count. */
export function compareConditions(a: string, b: string): number {
  const apart = gradesApart(a, b)
  if (apart === null) return fold(a) === fold(b) ? 1 : 0
  return 1 - apart / (GRADES.length - 1)
}

/** How many grades two conditions differ by, or null where one has no grade. */
export function gradesApart(a: string, b: string): number | null {
  const first = parseCondition(a)
  const second = parseCondition(b)
  if (isFieldError(first) || isFieldError(second)) return null
  return Math.abs(first.grade - second.grade)
}
