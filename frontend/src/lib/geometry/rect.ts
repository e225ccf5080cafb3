/** Boxes in image pixels, top-left origin. Pure functions: no DOM, no scale. */
export interface Point {
  x: number;
  y: number;
}
export interface Size {
  width: number;
  height: number;
}
export interface Rect {
  x: number;
  y: number;
  w: number;
  h: number;
}

export const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"] as const;
export type Handle = (typeof HANDLES)[number];

export const MIN_SIDE_PX = 4;

const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), Math.max(low, high));

/** The rectangle spanned by two corners, in any order, cut at the picture's edge. */
export function fromCorners(a: Point, b: Point, bounds: Size): Rect {
  const left = clamp(Math.min(a.x, b.x), 0, bounds.width);
  const top = clamp(Math.min(a.y, b.y), 0, bounds.height);
  const right = clamp(Math.max(a.x, b.x), 0, bounds.width);
  const bottom = clamp(Math.max(a.y, b.y), 0, bounds.height);
  return { x: left, y: top, w: right - left, h: bottom - top };
}

/** Moves as a whole and stops at the edge without changing size. */
export function move(rect: Rect, dx: number, dy: number, bounds: Size): Rect {
  return {
    ...rect,
    x: clamp(rect.x + dx, 0, bounds.width - rect.w),
    y: clamp(rect.y + dy, 0, bounds.height - rect.h),
  };
}

/** Drags one handle; the opposite side stays. A side dragged past its opposite stops at `MIN_SIDE_PX`. */
export function resize(rect: Rect, handle: Handle, dx: number, dy: number, bounds: Size): Rect {
  let left = rect.x;
  let top = rect.y;
  let right = rect.x + rect.w;
  let bottom = rect.y + rect.h;
  if (handle.includes("w")) left = clamp(left + dx, 0, right - MIN_SIDE_PX);
  if (handle.includes("e")) right = clamp(right + dx, left + MIN_SIDE_PX, bounds.width);
  if (handle.includes("n")) top = clamp(top + dy, 0, bottom - MIN_SIDE_PX);
  if (handle.includes("s")) bottom = clamp(bottom + dy, top + MIN_SIDE_PX, bounds.height);
  return { x: left, y: top, w: right - left, h: bottom - top };
}

/** A copy beside the original, on the picture; where there is no room to the right and below, to the left and above. */
export function duplicate(rect: Rect, offset: number, bounds: Size): Rect {
  const beside = (start: number, side: number, room: number) => (start + side + offset <= room ? start + offset : Math.max(start - offset, 0));
  return { ...rect, x: beside(rect.x, rect.w, bounds.width), y: beside(rect.y, rect.h, bounds.height) };
}

/** The next box in reading order: rows from the top, each from the left; after the last comes the first. */
export function neighbourInOrder<B extends Rect & { id: string }>(boxes: readonly B[], id: string | null, step: 1 | -1): B | null {
  const order = [...boxes].sort((a, b) => a.y - b.y || a.x - b.x);
  const at = order.findIndex((box) => box.id === id);
  const next = at < 0 ? (step > 0 ? 0 : order.length - 1) : (at + step + order.length) % order.length;
  return order[next] ?? null;
}

export function handlePoint(rect: Rect, handle: Handle): Point {
  const x = handle.includes("w") ? rect.x : handle.includes("e") ? rect.x + rect.w : rect.x + rect.w / 2;
  const y = handle.includes("n") ? rect.y : handle.includes("s") ? rect.y + rect.h : rect.y + rect.h / 2;
  return { x, y };
}

export function contains(rect: Rect, point: Point): boolean {
  return point.x >= rect.x && point.x <= rect.x + rect.w && point.y >= rect.y && point.y <= rect.y + rect.h;
}

export const area = (rect: Rect) => rect.w * rect.h;
export const bigEnough = (rect: Rect) => rect.w >= MIN_SIDE_PX && rect.h >= MIN_SIDE_PX;

export function roundRect(rect: Rect): Rect {
  const x = Math.round(rect.x);
  const y = Math.round(rect.y);
  return { x, y, w: Math.round(rect.x + rect.w) - x, h: Math.round(rect.y + rect.h) - y };
}

export function iou(a: Rect, b: Rect): number {
  const width = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const overlap = width * height;
  return overlap / (area(a) + area(b) - overlap);
}
