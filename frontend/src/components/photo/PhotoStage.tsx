import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Capture } from "@/api/types";
import { HANDLES, handlePoint, move, type Rect } from "@/lib/geometry/rect";
import { isTextTarget, useHotkeys } from "@/lib/hotkeys";
import styles from "./PhotoStage.module.css";
import type { Overlay, StageBox, Tool } from "./types";
import { useStagePointer } from "./useStagePointer";
import { useStageView } from "./useStageView";

interface Props {
  capture: Capture;
  boxes: readonly StageBox[];
  selected?: string | null;
  tool?: Tool;
  onTool?: (tool: Tool) => void;
  onSelect?: (id: string | null) => void;
  onCreate?: (rect: Rect) => void;
  onChange?: (id: string, rect: Rect, nudge?: boolean) => void;
  onDelete?: (id: string) => void;
  overlays?: readonly Overlay[];
  lit?: readonly string[];
  onLight?: (ids: string[]) => void;
}

function useSpaceHeld(): boolean {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if (event.code !== "Space" || event.isComposing || isTextTarget(event.target) || event.ctrlKey) return;
      if (event.target instanceof Element && event.target.closest("button, a, [role=radio], [role=menu], [role=dialog]")) return;
      event.preventDefault();
      setHeld(true);
    };
    const up = (event: KeyboardEvent) => {
      if (event.code === "Space") setHeld(false);
    };
    const blur = () => setHeld(false);
    window.addEventListener("keydown", down);
    window.addEventListener("keyup", up);
    window.addEventListener("blur", blur);
    return () => {
      window.removeEventListener("keydown", down);
      window.removeEventListener("keyup", up);
      window.removeEventListener("blur", blur);
    };
  }, []);
  return held;
}

/** The photo with its boxes, in image pixels; zoom and pan only ever change the view. */
export function PhotoStage({ capture, boxes, selected = null, tool = "select", onTool, onSelect, onCreate, onChange, onDelete, overlays = [], lit = [], onLight }: Props) {
  const { t } = useTranslation();
  const element = useRef<HTMLDivElement>(null);
  const [image, setImage] = useState({ width: capture.width, height: capture.height });
  if (image.width !== capture.width || image.height !== capture.height) setImage({ width: capture.width, height: capture.height });
  const [failed, setFailed] = useState(false);
  const spaceHeld = useSpaceHeld();
  const { view, zoom, pan, reset } = useStageView(element, image);
  const { live, dragging, handlers } = useStagePointer({ element, view, image, tool, spaceHeld, boxes, onCreate, onChange, onSelect, zoom, pan });

  const chosen = boxes.find((box) => box.id === selected && !box.locked);
  const nudge = (dx: number, dy: number) => (event: KeyboardEvent) => {
    if (!chosen) return;
    const step = event.shiftKey ? 10 : 1;
    const { x, y, w, h } = move(chosen, dx * step, dy * step, image);
    onChange?.(chosen.id, { x, y, w, h }, true);
  };
  const drop = () => chosen && onDelete?.(chosen.id);
  const arrows = { arrowleft: nudge(-1, 0), arrowright: nudge(1, 0), arrowup: nudge(0, -1), arrowdown: nudge(0, 1) };
  useHotkeys({
    f: reset,
    "0": reset,
    "+": () => zoom(1.25),
    "=": () => zoom(1.25),
    "-": () => zoom(0.8),
    ...(onTool && { v: () => onTool("select"), h: () => onTool("pan"), r: () => onTool("box") }),
  });
  useHotkeys(
    { ...arrows, ...Object.fromEntries(Object.entries(arrows).map(([key, run]) => [`shift+${key}`, run])), delete: drop, backspace: drop, escape: () => onSelect?.(null) },
    chosen !== undefined,
  );

  const hair = 1 / view.scale;
  const shown = boxes.map((box) => (live?.id === box.id ? { ...box, ...live.rect } : box));
  // beyond its own resolution (about 1600 px) the display derivative gives way to the original
  const sharp = view.scale * window.devicePixelRatio * Math.max(image.width, image.height) > 2000;
  const cursor = dragging === "pan" ? "grabbing" : spaceHeld || tool === "pan" ? "grab" : tool === "box" ? "crosshair" : "default";

  return (
    <div ref={element} className={styles.stage} style={{ cursor }} data-testid="photo" data-scale={view.scale.toFixed(4)} role="application" aria-label={t("photo.label", { id: capture.image_id })} {...handlers}>
      <div className={styles.world} style={{ width: image.width, height: image.height, transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}>
        <img
          key={capture.id}
          src={sharp ? capture.images.original : capture.images.display}
          width={image.width}
          height={image.height}
          alt={t("photo.label", { id: capture.image_id })}
          draggable={false}
          onError={() => setFailed(true)}
          onLoad={() => setFailed(false)}
        />
        <svg width={image.width} height={image.height} viewBox={`0 0 ${image.width} ${image.height}`}>
          {overlays.map((overlay) => (
            <polygon
              key={overlay.id}
              className={styles.overlay}
              data-kind={overlay.kind}
              data-lit={lit.includes(overlay.id) || undefined}
              points={overlay.polygon.map((point) => point.join(",")).join(" ")}
              onPointerEnter={() => onLight?.([overlay.id])}
              onPointerLeave={() => onLight?.([])}
            >
              <title>{overlay.title}</title>
            </polygon>
          ))}
          {shown.map((box) => (
            <g key={box.id} data-box={box.id} className={styles.box} data-hue={box.hue} data-selected={box.id === selected || undefined} data-locked={box.locked || undefined}>
              <rect x={box.x} y={box.y} width={box.w} height={box.h} data-testid={`box-${box.id}`} />
              {box.label && (
                <text textAnchor={box.hue === "b" ? "end" : "start"} x={box.hue === "b" ? box.x + box.w - 4 * hair : box.x + 4 * hair} y={box.y - 5 * hair > 12 * hair ? box.y - 5 * hair : box.y + 14 * hair} fontSize={13 * hair}>
                  {box.label}
                </text>
              )}
              {box.id === selected &&
                !box.locked &&
                HANDLES.map((handle) => {
                  const point = handlePoint(box, handle);
                  return (
                    <rect key={handle} className={styles.handle} data-handle={handle} x={point.x - 5 * hair} y={point.y - 5 * hair} width={10 * hair} height={10 * hair} style={{ cursor: `${handle}-resize` }} />
                  );
                })}
            </g>
          ))}
          {live?.id === null && <rect className={styles.drawing} x={live.rect.x} y={live.rect.y} width={live.rect.w} height={live.rect.h} />}
        </svg>
      </div>
      {failed && <p className={styles.failed}>{t("photo.failed")}</p>}
      <div className={styles.zoom}>
        <button type="button" onPointerDown={(event) => event.stopPropagation()} onClick={() => zoom(0.8)} aria-label={t("photo.zoomOut")}>
          −
        </button>
        <button type="button" onPointerDown={(event) => event.stopPropagation()} onClick={reset} title={`${t("photo.fit")} (F)`}>
          {Math.round(view.scale * 100)}%
        </button>
        <button type="button" onPointerDown={(event) => event.stopPropagation()} onClick={() => zoom(1.25)} aria-label={t("photo.zoomIn")}>
          +
        </button>
      </div>
    </div>
  );
}
