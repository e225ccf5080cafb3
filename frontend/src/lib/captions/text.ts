// Characters: whitespace, width, escapes and similarity. Twin of inference/captions/text.py.

// Everything that is read as a space: control characters, blanks of any width, line ends.
const SPACE_CLASS =
  '\\x00-\\x20\\x7f-\\xa0\\u1680\\u2000-\\u200b\\u2028\\u2029\\u202f\\u205f\\u2060\\u3000\\ufeff'
const SPACES = new RegExp(`[${SPACE_CLASS}]+`, 'g')
const SPACE = new RegExp(`^[${SPACE_CLASS}]$`)
const LONE_SURROGATE = /\p{Cs}/gu
const ESCAPED = /[|｜【】[\]［］\\]/g

/** Whether one character is read as a space. */
export function isSpace(char: string): boolean {
  return SPACE.test(char)
}

/** `text` without any of `chars` at its start and its end. */
export function strip(text: string, chars: string, where: 'start' | 'end' | 'both' = 'both'): string {
  let start = 0
  let end = text.length
  while (where !== 'end' && start < end && chars.includes(text.charAt(start))) start += 1
  while (where !== 'start' && end > start && chars.includes(text.charAt(end - 1))) end -= 1
  return text.slice(start, end)
}

/** `text` on one line: runs of spaces become one blank, none at the ends. */
export function tidy(text: string): string {
  return strip(text.replace(LONE_SURROGATE, '\ufffd').replace(SPACES, ' '), ' ')
}

/** `tidy` with full-width forms folded to half-width (Unicode NFKC). */
export function narrow(text: string): string {
  return tidy(tidy(text).normalize('NFKC'))
}

/** The form in which two texts are compared: half-width, lower case, no spaces. */
export function fold(text: string): string {
  return narrow(narrow(text).toLowerCase()).replaceAll(' ', '')
}

/** `value` with a backslash before each character that has a meaning in a caption. */
export function escape(value: string): string {
  return value.replace(ESCAPED, '\\$&')
}

/** The number of Unicode characters; `length` counts UTF-16 units. */
export function characters(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i)
    const next = text.charCodeAt(i + 1)
    const paired = unit >= 0xd800 && unit < 0xdc00 && next >= 0xdc00 && next < 0xe000
    if (paired) i += 1
    count += 1
  }
  return count
}

/** 1 − Levenshtein distance / length of the longer text, in 0…1, on `fold` forms. */
export function similarity(a: string, b: string): number {
  const x = [...fold(a)]
  const y = [...fold(b)]
  if (x.join('') === y.join('')) return 1
  let previous = Array.from({ length: y.length + 1 }, (_, j) => j)
  x.forEach((charX, i) => {
    const current = [i + 1]
    y.forEach((charY, j) => {
      current.push(
        Math.min(
          at(previous, j + 1) + 1,
          at(current, j) + 1,
          at(previous, j) + (charX === charY ? 0 : 1),
        ),
      )
    })
    previous = current
  })
  return 1 - at(previous, y.length) / Math.max(x.length, y.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? 0
}
