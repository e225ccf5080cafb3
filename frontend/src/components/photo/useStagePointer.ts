import { useRef, useState, type PointerEvent, type RefObject } from "react";
import { bigEnough, fromCorners, move, resize, roundRect, type Handle, type Point, type Rect, type Size } from "@/lib/geometry/rect";
import { toImage, type View } from "@/lib/geometry/view";
import type { StageBox, Tool } from "./types";

type Drag =
  | { kind: "pan"; last: Point }
  | { kind: "draw"; from: Point }
  | { kind: "move"; box: StageBox; from: Point }
  | { kind: "resize"; box: StageBox; handle: Handle; from: Point }
  | { kind: "pinch"; distance: number; middle: Point };

interface Options {
  element: RefObject<HTMLDivElement | null>;
  view: View;
  image: Size;
  tool: Tool;
  spaceHeld: boolean;
  boxes: readonly StageBox[];
  onCreate?: (rect: Rect) => void;
  onChange?: (id: string, rect: Rect) => void;
  onSelect?: (id: string | null) => void;
  zoom: (factor: number, anchor: Point) => void;
  pan: (dx: number, dy: number) => void;
}

/** Pointer gestures on the photo. What is being dragged lives here; one change is reported when it ends. */
export function useStagePointer(options: Options) {
  const drag = useRef<Drag | null>(null);
  const touches = useRef(new Map<number, Point>());
  const [live, setLive] = useState<{ id: string | null; rect: Rect } | null>(null);
  const [dragging, setDragging] = useState<Drag["kind"] | null>(null);

  const at = (event: PointerEvent): Point => {
    const bounds = options.element.current?.getBoundingClientRect();
    return { x: event.clientX - (bounds?.left ?? 0), y: event.clientY - (bounds?.top ?? 0) };
  };
  const begin = (next: Drag | null) => {
    drag.current = next;
    setDragging(next?.kind ?? null);
    setLive(null);
  };
  const pinch = (): Drag | null => {
    const [a, b] = [...touches.current.values()];
    if (!a || !b) return null;
    return { kind: "pinch", distance: Math.hypot(a.x - b.x, a.y - b.y), middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } };
  };

  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button > 1) return;
    const point = at(event);
    event.currentTarget.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") {
      touches.current.set(event.pointerId, point);
      if (touches.current.size === 2) {
        begin(pinch());
        return;
      }
    }
    begin(dragFor(event, point));
  };

  const dragFor = (event: PointerEvent<HTMLDivElement>, point: Point): Drag => {
    if (event.button === 1 || options.tool === "pan" || options.spaceHeld) return { kind: "pan", last: point };
    const target = event.target as Element;
    const handle = target.getAttribute("data-handle") as Handle | null;
    const boxId = target.closest("[data-box]")?.getAttribute("data-box");
    const box = options.boxes.find((one) => one.id === boxId && !one.locked);
    const from = toImage(options.view, point);
    if (box && handle) return { kind: "resize", box, handle, from };
    if (options.tool === "box" && options.onCreate) return { kind: "draw", from };
    options.onSelect?.(box?.id ?? null);
    return box ? { kind: "move", box, from } : { kind: "pan", last: point };
  };

  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    const current = drag.current;
    if (!current) return;
    const point = at(event);
    if (touches.current.has(event.pointerId)) touches.current.set(event.pointerId, point);
    if (current.kind === "pinch") {
      const now = pinch();
      if (now?.kind !== "pinch") return;
      options.pan(now.middle.x - current.middle.x, now.middle.y - current.middle.y);
      if (current.distance > 0) options.zoom(now.distance / current.distance, now.middle);
      drag.current = now;
      return;
    }
    if (current.kind === "pan") {
      options.pan(point.x - current.last.x, point.y - current.last.y);
      drag.current = { kind: "pan", last: point };
      return;
    }
    const to = toImage(options.view, point);
    const dx = to.x - current.from.x;
    const dy = to.y - current.from.y;
    if (current.kind === "draw") setLive({ id: null, rect: fromCorners(current.from, to, options.image) });
    else if (current.kind === "move") setLive({ id: current.box.id, rect: move(current.box, dx, dy, options.image) });
    else setLive({ id: current.box.id, rect: resize(current.box, current.handle, dx, dy, options.image) });
  };

  const onPointerUp = (event: PointerEvent<HTMLDivElement>) => {
    touches.current.delete(event.pointerId);
    const current = drag.current;
    if (live && current && event.type === "pointerup") {
      const rect = roundRect(live.rect);
      if (current.kind === "draw" && bigEnough(rect)) options.onCreate?.(rect);
      if (current.kind === "move" || current.kind === "resize") {
        const { x, y, w, h } = current.box;
        if (rect.x !== x || rect.y !== y || rect.w !== w || rect.h !== h) options.onChange?.(current.box.id, { x: rect.x, y: rect.y, w: rect.w, h: rect.h });
      }
    }
    begin(null);
  };

  return { live, dragging, handlers: { onPointerDown, onPointerMove, onPointerUp, onPointerCancel: onPointerUp } };
}
