/** Where the machine looked for a field's value: from a map of bytes to the pixels that lie over the photo. */
import type { HeatMap, Suggestion } from "@/api/types";

/** The map of a field on one view; null on every view but the suggestion's own. */
export const heatOf = (suggestion: Suggestion | null, captureId: number, field: string): HeatMap | null => (suggestion?.capture === captureId ? (suggestion.heat[field] ?? null) : null);

/** The values of a map, row by row; null for one that is damaged. */
export function heatValues({ rows, columns, data }: HeatMap): Uint8Array | null {
  try {
    const values = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    return values.length > 0 && values.length === rows * columns ? values : null;
  } catch {
    return null;
  }
}

/**
 * The machine's violet at a middle lightness, which stands out as much from white as from black. One hue whose weight alone tells
 * the value reads the same to colour-blind eyes.
 */
const HUE = [170, 60, 255] as const;
/** what the print below must still be read through */
const MOST_ALPHA = 0.68;
/** the noise of a map, which would only dull the photo */
const FLOOR = 0.1;

/** How much of the photo a value covers, 0…1: even steps of the value are even steps to the eye. */
export const heatAlpha = (value: number): number => MOST_ALPHA * Math.max(0, (value / 255 - FLOOR) / (1 - FLOOR));

/** RGBA, four bytes a value; all of one colour, so that between them only its weight changes. */
export function heatPixels(values: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * values.length);
  values.forEach((value, index) => pixels.set([...HUE, 255 * heatAlpha(value)], 4 * index));
  return pixels;
}
