import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Point, Size } from "@/lib/geometry/rect";
import { addTurns, fit, fitScale, keepInSight, pan as panned, relativeOf, rotate as rotated, viewOf, zoomAt, type Turns, type View } from "@/lib/geometry/view";
import type { StageDom } from "./stageDom";

/** Zoom and middle, relative to the picture; null stands for "the whole photo". */
type Place = { zoom: number; cx: number; cy: number } | null;

const SETTLE_MS = 120;

interface Options {
  dom: StageDom;
  image: Size;
  /** each picture is turned on its own; zoom and middle are the same for all */
  captureId: number;
}

/**
 * The view of the photo in its element. It moves outside React: each frame writes one transform, and React hears of it (`settled`)
 * when the movement is over. Kept relative to the picture, it survives another window and another side of the scene.
 */
export function useStageView({ dom, image, captureId }: Options) {
  const place = useRef<Place>(null);
  const turns = useRef(new Map<number, Turns>());
  const viewport = useRef<Size>({ width: 0, height: 0 });
  const frame = useRef(0);
  const quiet = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const listeners = useRef(new Set<(view: View) => void>());
  const [settled, setSettled] = useState<View>(() => fit(image, { width: 0, height: 0 }));
  const [measured, setMeasured] = useState(false);

  const read = useCallback((): View => {
    const now = turns.current.get(captureId) ?? 0;
    if (place.current === null) return fit(image, viewport.current, now);
    return keepInSight(viewOf({ ...place.current, turns: now }, image, viewport.current), image, viewport.current);
  }, [image, captureId]);

  const paint = useCallback(() => {
    frame.current = 0;
    const view = read();
    dom.show(view);
    listeners.current.forEach((listener) => listener(view));
  }, [dom, read]);

  const settle = useCallback(() => {
    const view = read();
    dom.mark("moving", null);
    setSettled((before) => (before.scale === view.scale && before.x === view.x && before.y === view.y && before.turns === view.turns ? before : view));
  }, [dom, read]);

  const moved = useCallback(() => {
    dom.mark("moving", "");
    frame.current ||= requestAnimationFrame(paint);
    clearTimeout(quiet.current);
    quiet.current = setTimeout(settle, SETTLE_MS);
  }, [dom, paint, settle]);

  const put = useCallback(
    (view: View) => {
      const kept = keepInSight(view, image, viewport.current);
      const { zoom, cx, cy, turns: now } = relativeOf(kept, image, viewport.current);
      place.current = { zoom, cx, cy };
      turns.current.set(captureId, now);
      moved();
    },
    [image, captureId, moved],
  );

  const zoom = useCallback(
    (factor: number, anchor?: Point) => {
      const view = read();
      const { width, height } = viewport.current;
      const minScale = Math.min(fitScale(image, viewport.current, view.turns) / 2, 1);
      put(zoomAt(view, anchor ?? { x: width / 2, y: height / 2 }, factor, minScale));
    },
    [image, put, read],
  );
  const pan = useCallback((dx: number, dy: number) => put(panned(read(), dx, dy)), [put, read]);
  const rotate = useCallback(
    (quarters: number) => {
      // the whole photo stays the whole photo
      if (place.current === null) {
        turns.current.set(captureId, addTurns(turns.current.get(captureId) ?? 0, quarters));
        moved();
      } else put(rotated(read(), quarters, viewport.current));
    },
    [captureId, moved, put, read],
  );
  const reset = useCallback(() => {
    place.current = null;
    moved();
  }, [moved]);

  // another picture or another size: drawn before the eye sees it
  useLayoutEffect(() => {
    const node = dom.stage;
    if (!node) return;
    const measure = () => {
      viewport.current = dom.size();
      paint();
      settle();
      setMeasured(viewport.current.width > 0);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(node);
    return () => observer.disconnect();
  }, [dom, paint, settle]);

  useEffect(() => {
    const node = dom.stage;
    if (!node) return;
    // React's own wheel listener is passive and could not keep the page from zooming
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      zoom(Math.exp((-event.deltaY * lines) / (event.ctrlKey ? 120 : 400)), dom.at(event));
    };
    node.addEventListener("wheel", onWheel, { passive: false });
    return () => node.removeEventListener("wheel", onWheel);
  }, [dom, zoom]);

  useEffect(
    () => () => {
      cancelAnimationFrame(frame.current);
      frame.current = 0;
      clearTimeout(quiet.current);
    },
    [],
  );

  const onPaint = useCallback((listener: (view: View) => void) => {
    listeners.current.add(listener);
    return () => {
      listeners.current.delete(listener);
    };
  }, []);

  return { settled, measured, read, zoom, pan, rotate, reset, onPaint };
}

export type StageView = ReturnType<typeof useStageView>;
