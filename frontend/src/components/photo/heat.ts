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

/** How often each side of a part is divided: fine enough for a thin line, in a canvas that is small still. */
const TIMES = 16;

/** A map with `TIMES` as many rows and columns, values between the middles of its parts running straight (bilinear). */
export function enlarged(values: Uint8Array, columns: number, rows: number): { values: Float32Array; columns: number; rows: number } {
  const [wide, high] = [columns * TIMES, rows * TIMES];
  const fine = new Float32Array(wide * high);
  /** the parts before and after a place, and how far it is from the one to the other */
  const between = (place: number, count: number): [number, number, number] => {
    const middle = Math.min(Math.max((place + 0.5) / TIMES - 0.5, 0), count - 1);
    const before = Math.floor(middle);
    return [before, Math.min(before + 1, count - 1), middle - before];
  };
  for (let y = 0; y < high; y++) {
    const [up, down, v] = between(y, rows);
    for (let x = 0; x < wide; x++) {
      const [left, right, u] = between(x, columns);
      const at = (row: number, column: number) => values[row * columns + column] ?? 0;
      fine[y * wide + x] = (at(up, left) * (1 - u) + at(up, right) * u) * (1 - v) + (at(down, left) * (1 - u) + at(down, right) * u) * v;
    }
  }
  return { values: fine, columns: wide, rows: high };
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

/** A white line where the map is at its half tells it from packs that are violet themselves. */
const HALF = 128;
const LINE_PX = 0.75;
const LINE_ALPHA = 0.85;

/** RGBA of an enlarged map, four bytes a value. */
export function heatPixels(values: Float32Array, columns: number): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * values.length);
  values.forEach((value, index) => {
    const column = index % columns;
    const across = (values[column + 1 < columns ? index + 1 : index] ?? value) - (values[column > 0 ? index - 1 : index] ?? value);
    const along = (values[index + columns] ?? value) - (values[index - columns] ?? value);
    // how far the line runs, in pixels, as far as the slope here tells
    const away = Math.abs(value - HALF) / (Math.hypot(across, along) / 2 || Number.EPSILON);
    const line = Math.min(Math.max(LINE_PX + 0.5 - away, 0), 1);
    const alpha = heatAlpha(value);
    HUE.forEach((byte, channel) => (pixels[4 * index + channel] = byte + (255 - byte) * line));
    pixels[4 * index + 3] = 255 * (alpha + (LINE_ALPHA - alpha) * line);
  });
  return pixels;
}
