// Where a field label stands in a text: 【数量】, [数量], 数量：. Twin of inference/captions/labels.py.

import { fold, isSpace } from './text'

export const BARS = '|｜'
export const COMMAS = ',，;；、'

const BRACKETED = /[【[［]([^【】[\]［］|｜\\\n]{1,48})[】\]］][:：]?/uy
const BEFORE_COLON = /([^:：|｜【】[\]［］\\\n,，;；、]{1,48})[:：]/uy

export interface Label {
  readonly name: string
  /** The place after the label. */
  readonly end: number
}

interface Names {
  has(name: string): boolean
}

/** The label in the brackets that open at `place`, known or not; a colon after it belongs. */
export function bracketedLabel(text: string, place: number): Label | null {
  BRACKETED.lastIndex = place
  const match = BRACKETED.exec(text)
  const name = match?.[1] ?? ''
  return match && fold(name) ? { name, end: place + match[0].length } : null
}

/** The label that starts at `place` and ends with a colon, if its fold is among `names`. */
export function colonLabel(text: string, place: number, names: Names): Label | null {
  BEFORE_COLON.lastIndex = place
  const match = BEFORE_COLON.exec(text)
  const name = match?.[1] ?? ''
  return match && names.has(fold(name)) ? { name, end: place + match[0].length } : null
}

/** Whether a label with a colon can follow `char`. */
export function opensBoundary(char: string): boolean {
  return isSpace(char) || COMMAS.includes(char)
}

/** The places of the colons in `value` that would make a reader see a label in it. */
export function colonsOfLabels(value: string, names: Names): Set<number> {
  const places = new Set<number>()
  let boundary = false
  for (let place = 0; place < value.length; place += 1) {
    const char = value.charAt(place)
    const label = boundary && !isSpace(char) ? colonLabel(value, place, names) : null
    if (label) places.add(label.end - 1)
    boundary = opensBoundary(char)
  }
  return places
}
