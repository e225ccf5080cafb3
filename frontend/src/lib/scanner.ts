/**
 * A barcode scanner types like a keyboard, only faster than people can, and ends with Enter. Told by its speed, it may be used in
 * any field or in none.
 */

/** Between two characters of one scan. */
export const MAX_GAP_MS = 40;
/** Before the closing Enter, which some scanners send later. */
export const MAX_ENTER_GAP_MS = 100;
export const MIN_LENGTH = 6;

export interface Burst {
  text: string;
  last: number;
}

/** The burst after one more character at `at` (ms). */
export function feed(burst: Burst | null, character: string, at: number): Burst {
  return burst && at - burst.last <= MAX_GAP_MS ? { text: burst.text + character, last: at } : { text: character, last: at };
}

/** What was scanned when Enter comes at `at`; null where a person typed. */
export function scanned(burst: Burst | null, at: number): string | null {
  return burst && at - burst.last <= MAX_ENTER_GAP_MS && burst.text.length >= MIN_LENGTH ? burst.text : null;
}
