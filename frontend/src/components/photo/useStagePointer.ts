import { useEffect, useRef, type PointerEvent, type RefObject } from "react";
import { bigEnough, fromCorners, move, resize, roundRect, type Handle, type Point, type Rect, type Size } from "@/lib/geometry/rect";
import { toImage } from "@/lib/geometry/view";
import type { StageDom } from "./stageDom";
import type { StageBox, Tool } from "./types";
import type { StageView } from "./useStageView";

type Drag =
  | { kind: "pan"; last: Point }
  | { kind: "draw"; from: Point; rect: Rect | null }
  | { kind: "move"; box: StageBox; from: Point; rect: Rect | null }
  | { kind: "resize"; box: StageBox; handle: Handle; from: Point; rect: Rect | null }
  | { kind: "pinch"; distance: number; middle: Point };

interface Options {
  dom: StageDom;
  view: Pick<StageView, "read" | "zoom" | "pan">;
  image: Size;
  tool: Tool;
  spaceHeld: RefObject<boolean>;
  boxes: readonly StageBox[];
  selected: string | null;
  onCreate?: (rect: Rect) => void;
  onChange?: (id: string, rect: Rect) => void;
  onSelect?: (id: string | null) => void;
}

/**
 * Pointer gestures on the photo: mouse, fingers (two pinch and pan), and a pen, which draws with any tool. What is being dragged
 * moves outside React; one change is reported when it ends. Once a pen has been seen, fingers no longer draw: a resting palm must not.
 */
export function useStagePointer(options: Options) {
  const drag = useRef<Drag | null>(null);
  const touches = useRef(new Map<number, Point>());
  const penSeen = useRef(false);

  const { dom } = options;

  /** Draws what is dragged where it is now; null puts it back to where the document has it. */
  const show = (current: Drag, rect: Rect | null) => {
    if (current.kind === "draw") dom.draw(rect);
    if (current.kind === "move" || current.kind === "resize") dom.place(current.box.id, rect ?? current.box);
  };
  const begin = (next: Drag | null) => {
    const before = drag.current;
    if (before && "rect" in before && before.rect) show(before, null);
    drag.current = next;
    dom.mark("drag", next?.kind ?? null);
  };
  const pinch = (): Drag | null => {
    const [a, b] = [...touches.current.values()];
    if (!a || !b) return null;
    return { kind: "pinch", distance: Math.hypot(a.x - b.x, a.y - b.y), middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } };
  };

  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button > 1) return;
    const point = dom.at(event);
    event.currentTarget.setPointerCapture(event.pointerId);
    if (event.pointerType === "pen") penSeen.current = true;
    if (event.pointerType === "touch") {
      touches.current.set(event.pointerId, point);
      if (touches.current.size >= 2) {
        begin(pinch());
        return;
      }
    }
    begin(dragFor(event, point));
  };

  const dragFor = (event: PointerEvent<HTMLDivElement>, point: Point): Drag => {
    const { tool, boxes, selected, onCreate, onChange, onSelect } = options;
    const pen = event.pointerType === "pen";
    const palm = event.pointerType === "touch" && penSeen.current;
    if (event.button === 1 || (tool === "pan" && !pen) || options.spaceHeld.current) return { kind: "pan", last: point };
    const target = event.target as Element;
    const handle = target.getAttribute("data-handle") as Handle | null;
    const boxId = handle ? selected : target.closest("[data-box]")?.getAttribute("data-box");
    const box = boxes.find((one) => one.id === boxId);
    const from = toImage(options.view.read(), point);
    if (box && handle && onChange) return { kind: "resize", box, handle, from, rect: null };
    if (onCreate && !palm && (tool === "box" || (pen && !box))) return { kind: "draw", from, rect: null };
    onSelect?.(box?.id ?? null);
    return box && !box.locked && onChange ? { kind: "move", box, from, rect: null } : { kind: "pan", last: point };
  };

  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    const current = drag.current;
    if (!current) return;
    const point = dom.at(event);
    if (touches.current.has(event.pointerId)) touches.current.set(event.pointerId, point);
    if (current.kind === "pinch") {
      const now = pinch();
      if (now?.kind !== "pinch") return;
      options.view.pan(now.middle.x - current.middle.x, now.middle.y - current.middle.y);
      if (current.distance > 0) options.view.zoom(now.distance / current.distance, now.middle);
      drag.current = now;
      return;
    }
    if (current.kind === "pan") {
      options.view.pan(point.x - current.last.x, point.y - current.last.y);
      drag.current = { kind: "pan", last: point };
      return;
    }
    const to = toImage(options.view.read(), point);
    const dx = to.x - current.from.x;
    const dy = to.y - current.from.y;
    if (current.kind === "draw") current.rect = fromCorners(current.from, to, options.image);
    else if (current.kind === "move") current.rect = move(current.box, dx, dy, options.image);
    else current.rect = resize(current.box, current.handle, dx, dy, options.image);
    show(current, current.rect);
  };

  const onPointerUp = (event: PointerEvent<HTMLDivElement>) => {
    touches.current.delete(event.pointerId);
    const current = drag.current;
    const left = [...touches.current.values()][0];
    // one finger of a pinch lifted: the other goes on panning
    begin(current?.kind === "pinch" && left ? { kind: "pan", last: left } : null);
    if (!current || !("rect" in current) || !current.rect || event.type !== "pointerup") return;
    const { x, y, w, h } = roundRect(current.rect);
    const rect = { x, y, w, h };
    if (current.kind === "draw") {
      if (bigEnough(rect)) options.onCreate?.(rect);
      return;
    }
    const { box } = current;
    if (x !== box.x || y !== box.y || w !== box.w || h !== box.h) options.onChange?.(box.id, rect);
  };

  useEffect(() => {
    const fingers = touches.current;
    return () => fingers.clear();
  }, []);

  return { onPointerDown, onPointerMove, onPointerUp, onPointerCancel: onPointerUp };
}
