import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HANDLES, MIN_SIDE_PX, contains, duplicate, fromCorners, handlePoint, iou, move, neighbourInOrder, resize, roundRect, type Rect, type Size } from "./rect";
import { MAX_SCALE, addTurns, deltaToImage, fit, keepInSight, relativeOf, rotate, toImage, toScreen, turn, viewOf, zoomAt, type Turns, type View } from "./view";

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

  it("lie beside their original when duplicated, as large, on the picture", () => {
    fc.assert(
      fc.property(rect, fc.integer({ min: 1, max: 40 }), (box, offset) => {
        const copy = duplicate(box, offset, bounds);
        expect([copy.w, copy.h]).toEqual([box.w, box.h]);
        expectInside(copy);
      }),
    );
  });

  it("are all visited once in a round, forth and back", () => {
    fc.assert(
      fc.property(fc.array(rect, { minLength: 1, maxLength: 20 }), fc.constantFrom(1 as const, -1 as const), (rects, step) => {
        const boxes = rects.map((one, index) => ({ ...one, id: String(index) }));
        const seen: string[] = [];
        let at: string | null = null;
        for (let n = 0; n < boxes.length; n++) {
          at = neighbourInOrder(boxes, at, step)?.id ?? null;
          seen.push(at ?? "none");
        }
        expect(new Set(seen).size).toBe(boxes.length);
        expect(neighbourInOrder(boxes, at, step)?.id).toBe(seen[0]);
      }),
    );
  });

  it("round to pixels without leaving the picture", () => {
    expect(roundRect({ x: 0.4, y: 1.6, w: 10.2, h: 3.9 })).toEqual({ x: 0, y: 2, w: 11, h: 4 });
  });
});

describe("the view", () => {
  const scale = fc.double({ min: 0.01, max: MAX_SCALE, noNaN: true });
  const turns = fc.constantFrom<Turns>(0, 1, 2, 3);
  const offset = fc.double({ min: -5000, max: 5000, noNaN: true });
  const view: fc.Arbitrary<View> = fc.record({ scale, x: offset, y: offset, turns });
  const size = fc.record({ width: fc.integer({ min: 60, max: 4000 }), height: fc.integer({ min: 60, max: 4000 }) });

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

  it("fits the whole picture into any window, however it is turned", () => {
    fc.assert(
      fc.property(size, size, turns, (image, window, quarter) => {
        const v = fit(image, window, quarter);
        for (const corner of [
          { x: 0, y: 0 },
          { x: image.width, y: 0 },
          { x: 0, y: image.height },
          { x: image.width, y: image.height },
        ]) {
          const seen = toScreen(v, corner);
          expect(seen.x).toBeGreaterThanOrEqual(-1e-6);
          expect(seen.y).toBeGreaterThanOrEqual(-1e-6);
          expect(seen.x).toBeLessThanOrEqual(window.width + 1e-6);
          expect(seen.y).toBeLessThanOrEqual(window.height + 1e-6);
        }
      }),
    );
  });

  it("is the same again after four quarter turns, and each turns about the middle of the window", () => {
    fc.assert(
      fc.property(view, size, (v, window) => {
        const middle = { x: window.width / 2, y: window.height / 2 };
        let turned = v;
        for (let n = 0; n < 4; n++) {
          const next = rotate(turned, 1, window);
          const before = toImage(turned, middle);
          const after = toImage(next, middle);
          expect(after.x).toBeCloseTo(before.x, 3);
          expect(after.y).toBeCloseTo(before.y, 3);
          turned = next;
        }
        expect(turned.turns).toBe(v.turns);
        expect(turned.x).toBeCloseTo(v.x, 6);
        expect(turned.y).toBeCloseTo(v.y, 6);
      }),
    );
  });

  it("tells a move on the screen as the move that the picture's points make", () => {
    fc.assert(
      fc.property(view, point, point, (v, from, to) => {
        const a = toImage(v, from);
        const b = toImage(v, to);
        const delta = deltaToImage(v, to.x - from.x, to.y - from.y);
        const tolerance = 1e-9 * (1 + Math.abs(b.x) + Math.abs(b.y)) * 1e4;
        expect(Math.abs(delta.x - (b.x - a.x))).toBeLessThan(tolerance);
        expect(Math.abs(delta.y - (b.y - a.y))).toBeLessThan(tolerance);
      }),
    );
  });

  it("is the same when told relative to the picture and back", () => {
    fc.assert(
      fc.property(view, size, size, (v, image, window) => {
        const again = viewOf(relativeOf(v, image, window), image, window);
        expect(again.turns).toBe(v.turns);
        expect(again.scale / v.scale).toBeCloseTo(1, 9);
        expect(again.x).toBeCloseTo(v.x, 4);
        expect(again.y).toBeCloseTo(v.y, 4);
      }),
    );
  });

  it("keeps the same part of the picture in the middle when the window changes or another side is shown", () => {
    const relative = fc.record({ zoom: fc.double({ min: 0.5, max: 8, noNaN: true }), cx: fc.double({ min: 0, max: 1, noNaN: true }), cy: fc.double({ min: 0, max: 1, noNaN: true }), turns });
    fc.assert(
      fc.property(relative, size, size, (r, image, window) => {
        const middle = toImage(viewOf(r, image, window), { x: window.width / 2, y: window.height / 2 });
        expect(middle.x / image.width).toBeCloseTo(r.cx, 6);
        expect(middle.y / image.height).toBeCloseTo(r.cy, 6);
      }),
    );
  });

  it("never loses the picture out of the window", () => {
    fc.assert(
      fc.property(view, size, size, (v, image, window) => {
        const kept = keepInSight(v, image, window, 40);
        const corners = [
          toScreen(kept, { x: 0, y: 0 }),
          toScreen(kept, { x: image.width, y: image.height }),
        ];
        const xs = corners.map((corner) => corner.x);
        const ys = corners.map((corner) => corner.y);
        expect(Math.min(...xs)).toBeLessThanOrEqual(window.width - 40 + 1e-6);
        expect(Math.min(...ys)).toBeLessThanOrEqual(window.height - 40 + 1e-6);
        // a picture smaller than the strip is kept in sight as far as it goes
        expect(Math.max(...xs)).toBeGreaterThanOrEqual(-1e-6);
        expect(Math.max(...ys)).toBeGreaterThanOrEqual(-1e-6);
      }),
    );
  });

  it("leaves a box exactly where it was through any zoom, pan, turn and change of the window", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("zoom" as const), anchor: point, factor: fc.double({ min: 0.5, max: 2, noNaN: true }) }),
      fc.record({ kind: fc.constant("turn" as const), quarters: fc.constantFrom(1, -1, 2) }),
      fc.record({ kind: fc.constant("window" as const), size }),
    );
    fc.assert(
      fc.property(rect, fc.array(step, { maxLength: 30 }), (box, steps) => {
        let window = { width: 900, height: 600 };
        let v = fit(bounds, window);
        for (const one of steps) {
          if (one.kind === "zoom") v = zoomAt(v, one.anchor, one.factor, 0.01);
          if (one.kind === "turn") v = rotate(v, one.quarters, window);
          if (one.kind === "window") {
            const relative = relativeOf(v, bounds, window);
            window = one.size;
            v = viewOf(relative, bounds, window);
          }
        }
        // drawn again over its own corners as they are seen now, it is the same to the pixel
        const drawn = fromCorners(toImage(v, toScreen(v, box)), toImage(v, toScreen(v, { x: box.x + box.w, y: box.y + box.h })), bounds);
        expect(roundRect(drawn)).toEqual({ x: box.x, y: box.y, w: box.w, h: box.h });
      }),
    );
  });

  it("turns a vector back by the opposite turn", () => {
    fc.assert(
      fc.property(point, turns, (p, quarter) => {
        const round = turn(turn(p, quarter), addTurns(0, -quarter));
        expect(round.x).toBeCloseTo(p.x);
        expect(round.y).toBeCloseTo(p.y);
      }),
    );
  });
});
