/** Where the picture lies on the screen: screen = image × scale + offset. */
import type { Point, Size } from "./rect";

export interface View {
  scale: number;
  x: number;
  y: number;
}

export const MAX_SCALE = 16;

export const toScreen = (view: View, point: Point): Point => ({ x: point.x * view.scale + view.x, y: point.y * view.scale + view.y });
export const toImage = (view: View, point: Point): Point => ({ x: (point.x - view.x) / view.scale, y: (point.y - view.y) / view.scale });

/** The whole picture, centred, with a margin. */
export function fit(image: Size, viewport: Size, margin = 8): View {
  if (image.width <= 0 || image.height <= 0 || viewport.width <= 0 || viewport.height <= 0) return { scale: 1, x: 0, y: 0 };
  const scale = Math.max(
    Math.min((viewport.width - 2 * margin) / image.width, (viewport.height - 2 * margin) / image.height, MAX_SCALE),
    1e-3,
  );
  return { scale, x: (viewport.width - image.width * scale) / 2, y: (viewport.height - image.height * scale) / 2 };
}

/** Zooms so that the image point under `anchor` (screen) stays there. */
export function zoomAt(view: View, anchor: Point, factor: number, minScale: number): View {
  const scale = Math.min(Math.max(view.scale * factor, minScale), MAX_SCALE);
  const fixed = toImage(view, anchor);
  return { scale, x: anchor.x - fixed.x * scale, y: anchor.y - fixed.y * scale };
}

export const pan = (view: View, dx: number, dy: number): View => ({ ...view, x: view.x + dx, y: view.y + dy });

/** Keeps at least a strip of the picture in sight. */
export function keepInSight(view: View, image: Size, viewport: Size, strip = 48): View {
  const width = image.width * view.scale;
  const height = image.height * view.scale;
  return {
    ...view,
    x: Math.min(Math.max(view.x, strip - width), viewport.width - strip),
    y: Math.min(Math.max(view.y, strip - height), viewport.height - strip),
  };
}
