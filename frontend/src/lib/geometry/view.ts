/**
 * Where the picture lies on the screen: turned clockwise by quarters, scaled, then moved.
 * Pure functions: boxes stay in image pixels whatever the view does.
 */
import type { Point, Size } from "./rect";

/** Quarter turns, clockwise. */
export type Turns = 0 | 1 | 2 | 3;

export interface View {
  scale: number;
  x: number;
  y: number;
  turns: Turns;
}

/**
 * A view told relative to the picture, so that it holds in windows and pictures of any size: `zoom` 1 is the scale that shows
 * the whole picture as long as it is not turned; the image point at `cx`, `cy` (0…1 of its sides) lies in the middle of the window.
 */
export interface RelativeView {
  zoom: number;
  cx: number;
  cy: number;
  turns: Turns;
}

export const MAX_SCALE = 16;
const MARGIN_PX = 8;

/** Turns a vector clockwise by quarters (y points down). */
export function turn({ x, y }: Point, turns: Turns): Point {
  switch (turns) {
    case 0:
      return { x, y };
    case 1:
      return { x: -y, y: x };
    case 2:
      return { x: -x, y: -y };
    case 3:
      return { x: y, y: -x };
  }
}

export const addTurns = (turns: Turns, quarters: number): Turns => ((((turns + quarters) % 4) + 4) % 4) as Turns;
const back = (turns: Turns): Turns => addTurns(0, -turns);

export function toScreen(view: View, point: Point): Point {
  const turned = turn(point, view.turns);
  return { x: turned.x * view.scale + view.x, y: turned.y * view.scale + view.y };
}

export const toImage = (view: View, point: Point): Point => turn({ x: (point.x - view.x) / view.scale, y: (point.y - view.y) / view.scale }, back(view.turns));

/** A move on the screen as one in image pixels. */
export const deltaToImage = (view: View, dx: number, dy: number): Point => turn({ x: dx / view.scale, y: dy / view.scale }, back(view.turns));

/** The picture's size as it stands on the screen at scale 1. */
export const turnedSize = (image: Size, turns: Turns): Size => (turns % 2 === 0 ? image : { width: image.height, height: image.width });

/** The scale at which the whole picture is seen, with a margin. */
export function fitScale(image: Size, viewport: Size, turns: Turns = 0): number {
  if (image.width <= 0 || image.height <= 0 || viewport.width <= 0 || viewport.height <= 0) return 1;
  const { width, height } = turnedSize(image, turns);
  return Math.max(Math.min((viewport.width - 2 * MARGIN_PX) / width, (viewport.height - 2 * MARGIN_PX) / height, MAX_SCALE), 1e-3);
}

/** The whole picture, centred. */
export function fit(image: Size, viewport: Size, turns: Turns = 0): View {
  return placed(fitScale(image, viewport, turns), { cx: 0.5, cy: 0.5, turns }, image, viewport);
}

export const viewOf = (relative: RelativeView, image: Size, viewport: Size): View => placed(relative.zoom * fitScale(image, viewport), relative, image, viewport);

function placed(scale: number, { cx, cy, turns }: Omit<RelativeView, "zoom">, image: Size, viewport: Size): View {
  const centre = turn({ x: cx * image.width, y: cy * image.height }, turns);
  return { scale, turns, x: viewport.width / 2 - centre.x * scale, y: viewport.height / 2 - centre.y * scale };
}

export function relativeOf(view: View, image: Size, viewport: Size): RelativeView {
  const centre = toImage(view, { x: viewport.width / 2, y: viewport.height / 2 });
  return { zoom: view.scale / fitScale(image, viewport), cx: centre.x / image.width, cy: centre.y / image.height, turns: view.turns };
}

/** Zooms so that the image point under `anchor` (screen) stays there. */
export function zoomAt(view: View, anchor: Point, factor: number, minScale: number): View {
  const scale = Math.min(Math.max(view.scale * factor, minScale), MAX_SCALE);
  const ratio = scale / view.scale;
  return { ...view, scale, x: anchor.x - (anchor.x - view.x) * ratio, y: anchor.y - (anchor.y - view.y) * ratio };
}

export const pan = (view: View, dx: number, dy: number): View => ({ ...view, x: view.x + dx, y: view.y + dy });

/** Turns about the middle of the window. */
export function rotate(view: View, quarters: number, viewport: Size): View {
  const middle = { x: viewport.width / 2, y: viewport.height / 2 };
  const offset = turn({ x: view.x - middle.x, y: view.y - middle.y }, addTurns(0, quarters));
  return { ...view, turns: addTurns(view.turns, quarters), x: middle.x + offset.x, y: middle.y + offset.y };
}

/** Keeps at least a strip of the picture in sight. */
export function keepInSight(view: View, image: Size, viewport: Size, strip = 48): View {
  const corner = turn({ x: image.width * view.scale, y: image.height * view.scale }, view.turns);
  const inSight = (offset: number, extent: number, room: number) => Math.min(Math.max(offset, strip - Math.max(extent, 0)), room - strip - Math.min(extent, 0));
  return { ...view, x: inSight(view.x, corner.x, viewport.width), y: inSight(view.y, corner.y, viewport.height) };
}

/** As a CSS transform of an element with its origin at the top left. */
export const cssTransform = ({ x, y, scale, turns }: View): string => `translate(${x}px, ${y}px) rotate(${turns * 90}deg) scale(${scale})`;
