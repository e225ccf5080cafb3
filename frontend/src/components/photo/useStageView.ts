import { useCallback, useEffect, useState, type RefObject } from "react";
import type { Point, Size } from "@/lib/geometry/rect";
import { fit, keepInSight, pan as panned, zoomAt, type View } from "@/lib/geometry/view";

/** The view of one photo in one element: null stands for "the whole photo", which follows the element's size. */
export function useStageView(element: RefObject<HTMLDivElement | null>, image: Size) {
  const [viewport, setViewport] = useState<Size>({ width: 0, height: 0 });
  const [chosen, setChosen] = useState<View | null>(null);

  useEffect(() => {
    const node = element.current;
    if (!node) return;
    const observer = new ResizeObserver(() => setViewport({ width: node.clientWidth, height: node.clientHeight }));
    observer.observe(node);
    return () => observer.disconnect();
  }, [element]);

  const whole = fit(image, viewport);
  const view = chosen ? keepInSight(chosen, image, viewport) : whole;
  const minScale = Math.min(whole.scale / 2, 1);

  const zoom = useCallback(
    (factor: number, anchor?: Point) =>
      setChosen((before) => zoomAt(before ?? fit(image, viewport), anchor ?? { x: viewport.width / 2, y: viewport.height / 2 }, factor, minScale)),
    [image, viewport, minScale],
  );
  const pan = useCallback((dx: number, dy: number) => setChosen((before) => panned(before ?? fit(image, viewport), dx, dy)), [image, viewport]);
  const reset = useCallback(() => setChosen(null), []);

  useEffect(() => {
    const node = element.current;
    if (!node) return;
    // React's own wheel listener is passive and could not keep the page from zooming
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const bounds = node.getBoundingClientRect();
      const lines = event.deltaMode === 1 ? 16 : 1;
      zoom(Math.exp((-event.deltaY * lines) / (event.ctrlKey ? 120 : 400)), { x: event.clientX - bounds.left, y: event.clientY - bounds.top });
    };
    node.addEventListener("wheel", onWheel, { passive: false });
    return () => node.removeEventListener("wheel", onWheel);
  }, [element, zoom]);

  return { view, viewport, zoom, pan, reset, whole: chosen === null };
}
