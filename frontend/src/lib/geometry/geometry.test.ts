import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HANDLES, MIN_SIDE_PX, contains, fromCorners, handlePoint, iou, move, resize, roundRect, type Rect, type Size } from "./rect";
import { MAX_SCALE, fit, toImage, toScreen, zoomAt } from "./view";

const bounds: Size = { width: 4000, height: 3000 };
const coordinate = fc.integer({ min: -500, max: 4500 });
const point = fc.record({ x: coordinate, y: coordinate });
const inside = fc.record({ x: fc.integer({ min: 0, max: 3900 }), y: fc.integer({ min: 0, max: 2900 }) });
const rect: fc.Arbitrary<Rect> = inside.chain(({ x, y }) =>
  fc.record({ x: fc.constant(x), y: fc.constant(y), w: fc.integer({ min: MIN_SIDE_PX, max: 4000 - x }), h: fc.integer({ min: MIN_SIDE_PX, max: 3000 - y }) }),
);
const delta = fc.integer({ min: -5000, max: 5000 });

function expectInside({ x, y, w, h }: Rect) {
  expect(x).toBeGreaterThanOrEqual(0);
  expect(y).toBeGreaterThanOrEqual(0);
  expect(x + w).toBeLessThanOrEqual(bounds.width);
  expect(y + h).toBeLessThanOrEqual(bounds.height);
}

describe("boxes", () => {
  it("are the same whichever corner one starts from, and stay on the picture", () => {
    fc.assert(
      fc.property(point, point, (a, b) => {
        const drawn = fromCorners(a, b, bounds);
        expect(fromCorners(b, a, bounds)).toEqual(drawn);
        expectInside(drawn);
      }),
    );
  });

  it("keep their size when moved, and stay on the picture", () => {
    fc.assert(
      fc.property(rect, delta, delta, (box, dx, dy) => {
        const moved = move(box, dx, dy, bounds);
        expect([moved.w, moved.h]).toEqual([box.w, box.h]);
        expectInside(moved);
      }),
    );
  });

  it("keep the opposite side when a handle is dragged, and never turn over", () => {
    fc.assert(
      fc.property(rect, fc.constantFrom(...HANDLES), delta, delta, (box, handle, dx, dy) => {
        const resized = resize(box, handle, dx, dy, bounds);
        expectInside(resized);
        expect(resized.w).toBeGreaterThanOrEqual(Math.min(MIN_SIDE_PX, box.w));
        expect(resized.h).toBeGreaterThanOrEqual(Math.min(MIN_SIDE_PX, box.h));
        if (!handle.includes("w")) expect(resized.x).toBe(box.x);
        if (!handle.includes("e")) expect(resized.x + resized.w).toBe(box.x + box.w);
        if (!handle.includes("n")) expect(resized.y).toBe(box.y);
        if (!handle.includes("s")) expect(resized.y + resized.h).toBe(box.y + box.h);
      }),
    );
  });

  it("carry their handles on the border", () => {
    fc.assert(fc.property(rect, fc.constantFrom(...HANDLES), (box, handle) => {
        expect(contains(box, handlePoint(box, handle))).toBe(true);
      }),
    );
  });

  it("overlap symmetrically, fully with themselves", () => {
    fc.assert(
      fc.property(rect, rect, (a, b) => {
        expect(iou(a, b)).toBeCloseTo(iou(b, a));
        expect(iou(a, a)).toBeCloseTo(1);
        expect(iou(a, b)).toBeGreaterThanOrEqual(0);
        expect(iou(a, b)).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });

  it("round to pixels without leaving the picture", () => {
    expect(roundRect({ x: 0.4, y: 1.6, w: 10.2, h: 3.9 })).toEqual({ x: 0, y: 2, w: 11, h: 4 });
  });
});

describe("the view", () => {
  const scale = fc.double({ min: 0.01, max: MAX_SCALE, noNaN: true });
  const view = fc.record({ scale, x: fc.double({ min: -5000, max: 5000, noNaN: true }), y: fc.double({ min: -5000, max: 5000, noNaN: true }) });

  it("maps there and back", () => {
    fc.assert(
      fc.property(view, point, (v, p) => {
        const back = toImage(v, toScreen(v, p));
        expect(back.x).toBeCloseTo(p.x, 4);
        expect(back.y).toBeCloseTo(p.y, 4);
      }),
    );
  });

  it("holds the point under the pointer while zooming", () => {
    fc.assert(
      fc.property(view, point, fc.double({ min: 0.2, max: 5, noNaN: true }), (v, anchor, factor) => {
        const zoomed = zoomAt(v, anchor, factor, 0.005);
        const before = toImage(v, anchor);
        const after = toImage(zoomed, anchor);
        expect(after.x).toBeCloseTo(before.x, 3);
        expect(after.y).toBeCloseTo(before.y, 3);
        expect(zoomed.scale).toBeLessThanOrEqual(MAX_SCALE);
      }),
    );
  });

  it("fits the whole picture into any window", () => {
    fc.assert(
      fc.property(fc.integer({ min: 40, max: 4000 }), fc.integer({ min: 40, max: 4000 }), fc.integer({ min: 60, max: 3000 }), fc.integer({ min: 60, max: 3000 }), (iw, ih, vw, vh) => {
        const image = { width: iw, height: ih };
        const v = fit(image, { width: vw, height: vh });
        const corner = toScreen(v, { x: iw, y: ih });
        expect(v.x).toBeGreaterThanOrEqual(-1e-6);
        expect(v.y).toBeGreaterThanOrEqual(-1e-6);
        expect(corner.x).toBeLessThanOrEqual(vw + 1e-6);
        expect(corner.y).toBeLessThanOrEqual(vh + 1e-6);
      }),
    );
  });
});
