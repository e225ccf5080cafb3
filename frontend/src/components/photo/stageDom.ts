import { handlePoint, type Handle, type Point, type Rect, type Size } from "@/lib/geometry/rect";
import { cssTransform, type View } from "@/lib/geometry/view";

/** The stage's own elements, as they are handed over by React. */
interface Parts {
  stage: HTMLElement;
  world: HTMLElement;
  /** the boxes */
  shapes: SVGGElement;
  /** what keeps its size on the screen, by `--hair`: one screen pixel in image pixels */
  hairs: SVGGElement;
  handles: SVGGElement;
  drawing: SVGRectElement;
}

function placeRect(element: Element, rect: Rect): void {
  element.setAttribute("x", String(rect.x));
  element.setAttribute("y", String(rect.y));
  element.setAttribute("width", String(rect.w));
  element.setAttribute("height", String(rect.h));
}

/** All that moves on the stage without React: it draws where things rest, this draws where they are meanwhile. */
export class StageDom {
  private parts: Partial<Parts> = {};

  /** One ref callback a part. */
  readonly refs: { readonly [Name in keyof Parts]: (node: Parts[Name] | null) => void } = {
    stage: (node) => this.attach({ stage: node ?? undefined }),
    world: (node) => this.attach({ world: node ?? undefined }),
    shapes: (node) => this.attach({ shapes: node ?? undefined }),
    hairs: (node) => this.attach({ hairs: node ?? undefined }),
    handles: (node) => this.attach({ handles: node ?? undefined }),
    drawing: (node) => this.attach({ drawing: node ?? undefined }),
  };

  private attach(part: Partial<Parts>): void {
    this.parts = { ...this.parts, ...part };
  }

  get stage(): HTMLElement | undefined {
    return this.parts.stage;
  }

  /** A place on the screen as one on the stage. */
  at(event: { clientX: number; clientY: number }): Point {
    const bounds = this.parts.stage?.getBoundingClientRect();
    return { x: event.clientX - (bounds?.left ?? 0), y: event.clientY - (bounds?.top ?? 0) };
  }

  size(): Size {
    return { width: this.parts.stage?.clientWidth ?? 0, height: this.parts.stage?.clientHeight ?? 0 };
  }

  /** A word for the style sheet; null takes it away. */
  mark(name: "moving" | "drag" | "space" | "scale", value: string | null): void {
    if (value === null) delete this.parts.stage?.dataset[name];
    else if (this.parts.stage) this.parts.stage.dataset[name] = value;
  }

  show(view: View): void {
    this.mark("scale", view.scale.toFixed(4));
    if (this.parts.world) this.parts.world.style.transform = cssTransform(view);
    this.parts.hairs?.style.setProperty("--hair", String(1 / view.scale));
  }

  draw(rect: Rect | null): void {
    const { drawing } = this.parts;
    if (!drawing) return;
    drawing.style.display = rect ? "" : "none";
    if (rect) placeRect(drawing, rect);
  }

  /** Puts a box and the handles, which are always those of the selected one, somewhere else. */
  place(id: string, rect: Rect): void {
    this.parts.shapes?.querySelectorAll(`[data-box="${CSS.escape(id)}"] rect`).forEach((element) => placeRect(element, rect));
    this.parts.handles?.querySelectorAll("[data-handle-at]").forEach((element) => {
      const point = handlePoint(rect, element.getAttribute("data-handle-at") as Handle);
      element.setAttribute("transform", `translate(${point.x} ${point.y})`);
    });
  }
}
