import { useEffect, useRef } from "react";
import type { Point, Size } from "@/lib/geometry/rect";
import { cssTransform, toImage, turn } from "@/lib/geometry/view";
import type { StageDom } from "./stageDom";
import type { StageView } from "./useStageView";
import styles from "./PhotoStage.module.css";

const RADIUS_PX = 110;
const TIMES = 3;

interface Props {
  dom: StageDom;
  view: Pick<StageView, "read" | "onPaint">;
  image: Size;
  src: string;
  filter: string | undefined;
}

/** A round piece of the original around the pointer, three times as large as it is shown and never smaller than its pixels. */
export function Loupe({ dom, view, image, src, filter }: Props) {
  const glass = useRef<HTMLDivElement>(null);
  const picture = useRef<HTMLImageElement>(null);
  const { read, onPaint } = view;

  useEffect(() => {
    const { stage } = dom;
    if (!stage) return;
    let at: Point | null = null;
    const draw = () => {
      if (!glass.current || !picture.current) return;
      glass.current.style.display = at ? "" : "none";
      if (!at) return;
      const now = read();
      const scale = Math.max(now.scale * TIMES, 1);
      const middle = turn(toImage(now, at), now.turns);
      glass.current.style.transform = `translate(${at.x - RADIUS_PX}px, ${at.y - RADIUS_PX}px)`;
      picture.current.style.transform = cssTransform({ scale, turns: now.turns, x: RADIUS_PX - middle.x * scale, y: RADIUS_PX - middle.y * scale });
    };
    const follow = (event: PointerEvent) => {
      at = dom.at(event);
      draw();
    };
    const leave = () => {
      at = null;
      draw();
    };
    draw();
    stage.addEventListener("pointermove", follow);
    stage.addEventListener("pointerdown", follow);
    stage.addEventListener("pointerleave", leave);
    const forget = onPaint(draw);
    return () => {
      stage.removeEventListener("pointermove", follow);
      stage.removeEventListener("pointerdown", follow);
      stage.removeEventListener("pointerleave", leave);
      forget();
    };
  }, [dom, read, onPaint]);

  return (
    <div ref={glass} className={styles.loupe} style={{ width: 2 * RADIUS_PX, height: 2 * RADIUS_PX, display: "none" }} aria-hidden="true" data-testid="loupe">
      <img ref={picture} src={src} width={image.width} height={image.height} alt="" draggable={false} style={{ filter }} />
    </div>
  );
}
