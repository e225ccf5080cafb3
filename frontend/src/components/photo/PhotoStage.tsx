import { memo, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Capture, HeatMap } from "@/api/types";
import { duplicate, fromCorners, move, neighbourInOrder, resize, roundRect, type Rect } from "@/lib/geometry/rect";
import { deltaToImage, toImage } from "@/lib/geometry/view";
import { useActions } from "@/lib/keymap";
import { BoxLabel, BoxShape, Handles } from "./BoxShape";
import { BoxTools } from "./BoxTools";
import { HeatLayer } from "./HeatLayer";
import { Loupe } from "./Loupe";
import { AS_IS, StageTools, isAsIs } from "./StageTools";
import styles from "./PhotoStage.module.css";
import type { Overlay, StageBox, Tool } from "./types";
import { StageDom } from "./stageDom";
import { useSpaceHeld } from "./useSpaceHeld";
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
  onLock?: (id: string) => void;
  onDelete?: (id: string) => void;
  overlays?: readonly Overlay[];
  heat?: HeatMap | null;
  lit?: readonly string[];
  onLight?: (ids: string[]) => void;
}

/** beyond about this many screen pixels the display derivative (1600 px) gives way to the original */
const SHARP_PX = 2000;
const COPY_OFFSET_PX = 16;

/**
 * The photo with its boxes, in image pixels; zoom, pan and turns only ever change the view, and neither they nor a dragged box
 * make React draw. Kept mounted over the sides of a scene, it shows the same part of each.
 */
export function PhotoStage({ capture, boxes, selected = null, tool = "select", onTool, onSelect, onCreate, onChange, onLock, onDelete, overlays = [], heat = null, lit = [], onLight }: Props) {
  const { t } = useTranslation();
  const [dom] = useState(() => new StageDom());
  const { stage, world, shapes, hairs, handles, drawing } = dom.refs;
  const { width, height } = capture;
  const image = useMemo(() => ({ width, height }), [width, height]);
  const [failed, setFailed] = useState<number | null>(null);
  const [loupe, setLoupe] = useState(false);
  const [look, setLook] = useState(AS_IS);
  const [adjusting, setAdjusting] = useState(false);
  const spaceHeld = useSpaceHeld((held) => dom.mark("space", held ? "" : null));
  const view = useStageView({ dom, image, captureId: capture.id });
  const { settled, measured } = view;
  const pointer = useStagePointer({ dom, view, image, tool, spaceHeld, boxes, selected, onCreate, onChange, onSelect });

  const chosen = boxes.find((box) => box.id === selected);
  const free = chosen?.locked ? undefined : chosen;
  /** An arrow key as a move on the picture: up is up on the screen. */
  const step = (key: string, shift: boolean) => {
    const length = (shift ? 10 : 1) * settled.scale;
    const dx = key.endsWith("left") ? -length : key.endsWith("right") ? length : 0;
    const dy = key.endsWith("up") ? -length : key.endsWith("down") ? length : 0;
    const { x, y } = deltaToImage(settled, dx, dy);
    return { x: Math.round(x), y: Math.round(y) };
  };
  const put = (next: Rect, nudge: boolean) => {
    const { x, y, w, h } = roundRect(next);
    if (free) onChange?.(free.id, { x, y, w, h }, nudge);
  };
  const copy = () => {
    if (!chosen) return;
    const { x, y, w, h } = duplicate(chosen, Math.round(COPY_OFFSET_PX / settled.scale), image);
    onCreate?.({ x, y, w, h });
  };
  const toggleLock = onLock && (() => chosen && onLock(chosen.id));
  const remove = () => free && onDelete?.(free.id);
  const select = (by: 1 | -1) => onSelect?.(neighbourInOrder(boxes, selected, by)?.id ?? null);
  /** A box in the middle of what is seen: drawing without a pointer. */
  const create = () => {
    const room = dom.size();
    const corner = (share: number) => toImage(view.read(), { x: room.width * share, y: room.height * share });
    const { x, y, w, h } = roundRect(fromCorners(corner(1 / 3), corner(2 / 3), image));
    onCreate?.({ x, y, w, h });
  };
  const toggleLoupe = () => setLoupe((before) => !before);
  const toggleAdjust = () => setAdjusting((before) => !before);

  useActions({
    fit: view.reset,
    zoomIn: () => view.zoom(1.25),
    zoomOut: () => view.zoom(0.8),
    turn: () => view.rotate(1),
    turnBack: () => view.rotate(-1),
    loupe: toggleLoupe,
    adjust: toggleAdjust,
    ...(onTool && { select: () => onTool("select"), pan: () => onTool("pan"), draw: () => onTool("box") }),
    ...(onCreate && { newBox: create }),
    ...(onSelect && boxes.length > 0 && { nextBox: () => select(1), previousBox: () => select(-1) }),
  });
  useActions(
    {
      duplicate: copy,
      lock: () => toggleLock?.(),
      remove,
      leaveField: () => onSelect?.(null),
      nudge: (event, key) => {
        const { x, y } = step(key, event.shiftKey);
        if (free) put(move(free, x, y, image), true);
      },
      grow: (event, key) => {
        // with the lower right handle as it stands on the screen
        const by = step(key, event.shiftKey);
        if (free) put(resize(free, (["se", "ne", "nw", "sw"] as const)[settled.turns], by.x, by.y, image), true);
      },
    },
    chosen !== undefined && onChange !== undefined,
  );

  // before the stage has its size nothing is known of the scale, and the original of a large photo is heavy
  const sharp = measured && settled.scale * window.devicePixelRatio * Math.max(width, height) > SHARP_PX;
  const original = useDecoded(capture.images.original, sharp);
  const filter = isAsIs(look) ? undefined : `brightness(${look.brightness}) contrast(${look.contrast})`;
  const label = t("photo.label", { id: capture.image_id });

  return (
    <div ref={stage} className={styles.stage} data-tool={tool} data-testid="photo" role="application" aria-label={label} {...pointer}>
      <div ref={world} className={styles.world} style={{ width, height }}>
        <img
          key={capture.id}
          src={original ?? capture.images.display}
          width={width}
          height={height}
          alt={label}
          draggable={false}
          style={{ filter }}
          onError={() => setFailed(capture.id)}
          onLoad={() => setFailed(null)}
        />
        {heat && <HeatLayer map={heat} width={width} height={height} />}
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
          <Overlays overlays={overlays} lit={lit} onLight={onLight} />
          <g ref={shapes}>
            {boxes.map(({ id, x, y, w, h, hue, locked }) => (
              <BoxShape key={id} id={id} x={x} y={y} w={w} h={h} hue={hue} locked={locked} selected={id === selected} />
            ))}
          </g>
          <g ref={hairs}>
            {boxes.map((box) => box.label && <BoxLabel key={box.id} {...box} turns={settled.turns} />)}
            {free && onChange && (
              <g ref={handles} className={styles.handles} data-hue={free.hue}>
                <Handles rect={free} turns={settled.turns} />
              </g>
            )}
          </g>
          <rect ref={drawing} className={styles.drawing} style={{ display: "none" }} />
        </svg>
      </div>
      {loupe && <Loupe dom={dom} view={view} image={image} src={capture.images.original} filter={filter} />}
      {failed === capture.id && <p className={styles.failed}>{t("photo.failed")}</p>}
      {chosen && onCreate && onDelete && <BoxTools box={chosen} onDuplicate={copy} onLock={toggleLock} onDelete={remove} />}
      <StageTools view={view} loupe={loupe} onLoupe={toggleLoupe} look={look} adjusting={adjusting} onAdjust={toggleAdjust} onLook={setLook} />
    </div>
  );
}

/** The picture once it is wanted and decoded, so that showing it costs no frame; null before. */
function useDecoded(src: string, wanted: boolean): string | null {
  const [ready, setReady] = useState<string | null>(null);
  useEffect(() => {
    if (!wanted || ready === src) return;
    let gone = false;
    const picture = new Image();
    picture.src = src;
    picture.decode().then(
      () => !gone && setReady(src),
      () => undefined, // the display derivative stays
    );
    return () => {
      gone = true;
    };
  }, [src, wanted, ready]);
  return wanted && ready === src ? src : null;
}

/** What the machine read, at its place; pointing at it lights it. */
const Overlays = memo(function Overlays({ overlays, lit, onLight }: Required<Pick<Props, "overlays" | "lit">> & Pick<Props, "onLight">) {
  return overlays.map((overlay) => (
    <polygon
      key={overlay.id}
      className={styles.overlay}
      data-kind={overlay.kind}
      data-speaks={overlay.speaks || undefined}
      data-lit={lit.includes(overlay.id) || undefined}
      points={overlay.polygon.map((point) => point.join(",")).join(" ")}
      onPointerEnter={() => onLight?.([overlay.id])}
      onPointerLeave={() => onLight?.([])}
    >
      <title>{overlay.title}</title>
    </polygon>
  ));
});
