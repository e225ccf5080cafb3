import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Suggestion } from "@/api/types";
import { enlarged, heatAlpha, heatOf, heatPixels, heatValues } from "./heat";

const encoded = (...bytes: number[]) => btoa(String.fromCharCode(...bytes));

describe("a map", () => {
  it("is that of one field, on the suggestion's own view", () => {
    const map = { rows: 1, columns: 2, data: encoded(0, 255) };
    const suggestion = { capture: 7, heat: { quantity: map } } as unknown as Suggestion;
    expect(heatOf(suggestion, 7, "quantity")).toBe(map);
    expect([heatOf(suggestion, 8, "quantity"), heatOf(suggestion, 7, "sku"), heatOf(null, 7, "quantity")]).toEqual([null, null, null]);
  });

  it("comes as it was sent, row by row", () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 }), fc.integer({ min: 0, max: 255 }), (rows, columns, seed) => {
        const sent = Array.from({ length: rows * columns }, (_, n) => (n * 37 + seed) % 256);
        expect([...(heatValues({ rows, columns, data: encoded(...sent) }) ?? [])]).toEqual(sent);
      }),
    ));

  it.each([
    [{ rows: 2, columns: 2, data: encoded(1, 2, 3) }],
    [{ rows: 0, columns: 0, data: "" }],
    [{ rows: 1, columns: 1, data: "***" }],
  ])("that is damaged is none: %j", (map) => expect(heatValues(map)).toBeNull());
});

describe("between the parts of a map", () => {
  it("values run straight, each part's own in its middle, level at the edges", () => {
    const { values, columns, rows } = enlarged(Uint8Array.of(0, 160), 2, 1);
    expect([columns, rows]).toEqual([32, 16]);
    const row = [...values.slice(0, columns)];
    expect(row.slice(0, 8)).toEqual(Array(8).fill(0));
    expect(row.slice(24)).toEqual(Array(8).fill(160));
    const steps = row.slice(8, 24).map((value, n) => value - (row[7 + n] ?? 0));
    expect(steps.slice(1).every((step) => Math.abs(step - 10) < 1e-4)).toBe(true);
    expect([...values.slice(-columns)]).toEqual(row);
  });

  it("nothing is above the map's most or below its least, and the warmest part stays where it was", () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.nat(35), (rows, columns, seed) => {
        const warm = seed % (rows * columns);
        const fine = enlarged(Uint8Array.from({ length: rows * columns }, (_, n) => (n === warm ? 255 : 9)), columns, rows);
        const most = Math.max(...fine.values);
        expect([Math.min(...fine.values) >= 9, most <= 255]).toEqual([true, true]);
        const at = fine.values.indexOf(most);
        expect([Math.floor(at / fine.columns / 16), Math.floor((at % fine.columns) / 16)]).toEqual([Math.floor(warm / columns), warm % columns]);
      }),
      { numRuns: 30 },
    ));
});

/** CIE lightness, 0 black … 100 white, of sRGB (IEC 61966-2-1; CIE 15). */
function lightness(rgb: readonly number[]): number {
  const [r = 0, g = 0, b = 0] = rgb.map((byte) => (byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4));
  const y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return y > (6 / 29) ** 3 ? 116 * Math.cbrt(y) - 16 : y * (29 / 3) ** 3;
}
/** How far, in lightness, a value stands out from a grey photo. */
function standsOut(value: number, grey: number): number {
  const [r = 0, g = 0, b = 0, a = 0] = heatPixels(Float32Array.of(value), 1);
  return Math.abs(lightness([r, g, b].map((byte) => (byte * a + grey * (255 - a)) / 255)) - lightness([grey, grey, grey]));
}

describe("the ramp", () => {
  it("grows evenly with the value from nothing, and never hides the photo", () => {
    const alphas = Array.from({ length: 256 }, (_, value) => heatAlpha(value));
    expect(alphas[20]).toBe(0);
    const steps = alphas.slice(27).map((alpha, n) => alpha - (alphas[26 + n] ?? 0));
    expect(Math.max(...steps) - Math.min(...steps)).toBeLessThan(1e-9);
    expect(Math.min(...steps)).toBeGreaterThan(0);
    expect(alphas[255]).toBeLessThan(0.75);
  });

  it("is of one hue", () => {
    const pixels = heatPixels(Float32Array.of(0, 0, 60, 60, 255, 255), 6);
    expect(new Set([0, 8, 20].map((at) => pixels.slice(at, at + 3).join(","))).size).toBe(1);
  });

  it("has a thin white line at the half, and only there", () => {
    const { values, columns } = enlarged(Uint8Array.of(0, 255), 2, 1);
    const pixels = heatPixels(values, columns);
    const white = Array.from({ length: columns }, (_, x) => Math.min(...pixels.slice(4 * x, 4 * x + 3)) > 150);
    expect(white.flatMap((is, x) => (is ? [x] : []))).toEqual([15, 16]);
    const flat = heatPixels(Float32Array.of(127, 127, 127, 127), 2);
    expect(Math.min(...flat.slice(0, 3))).toBe(60);
  });

  it("stands out from a white photo as from a black one", () => {
    expect(standsOut(255, 255)).toBeGreaterThan(25);
    expect(standsOut(255, 0)).toBeGreaterThan(25);
    expect(Math.abs(standsOut(255, 255) - standsOut(255, 0))).toBeLessThan(8);
  });
});
