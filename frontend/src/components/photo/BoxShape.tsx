import { memo } from "react";
import { HANDLES, handlePoint, type Handle, type Rect } from "@/lib/geometry/rect";
import type { Turns } from "@/lib/geometry/view";
import type { StageBox } from "./types";
import styles from "./PhotoStage.module.css";

interface Props extends StageBox {
  selected: boolean;
}

/** One box. Only the ones that changed are drawn anew; a box being dragged moves outside React, by `StageDom`. */
export const BoxShape = memo(function BoxShape({ id, x, y, w, h, hue, selected, locked }: Props) {
  return (
    <g data-box={id} className={styles.box} data-hue={hue} data-selected={selected || undefined} data-locked={locked || undefined}>
      <rect className={styles.halo} x={x} y={y} width={w} height={h} />
      <rect className={styles.line} x={x} y={y} width={w} height={h} data-testid={`box-${id}`} />
    </g>
  );
});

/** The corner of a box that is its top left on the turned screen. */
const CORNERS: readonly Handle[] = ["nw", "sw", "se", "ne"];

/** A box's name at its upper edge, upright and of one size however the photo is turned and zoomed. */
export const BoxLabel = memo(function BoxLabel({ x, y, w, h, hue, label, turns }: StageBox & { turns: Turns }) {
  const end = hue === "b";
  const corner = handlePoint({ x, y, w, h }, CORNERS[(turns + (end ? 3 : 0)) % 4] ?? "nw");
  return (
    <text className={styles.label} data-hue={hue} textAnchor={end ? "end" : "start"} x={end ? -4 : 4} y={-5} style={{ transform: `translate(${corner.x}px, ${corner.y}px) rotate(${-90 * turns}deg) scale(var(--hair))` }}>
      {label}
    </text>
  );
});

const RESIZE = ["ns", "nesw", "ew", "nwse"] as const;
const DIRECTION: Record<Handle, number> = { n: 0, ne: 1, e: 2, se: 3, s: 4, sw: 5, w: 6, nw: 7 };

/** The pointer over a handle, as it stands on the turned screen. */
export const handleCursor = (handle: Handle, turns: Turns): string => `${RESIZE[(DIRECTION[handle] + 2 * turns) % 4] ?? "ns"}-resize`;

export function Handles({ rect, turns }: { rect: Rect; turns: Turns }) {
  return HANDLES.map((handle) => {
    const point = handlePoint(rect, handle);
    return (
      <g key={handle} data-handle-at={handle} transform={`translate(${point.x} ${point.y})`}>
        <rect className={styles.reach} data-handle={handle} style={{ cursor: handleCursor(handle, turns) }} />
        <rect className={styles.handle} x={-5} y={-5} width={10} height={10} />
      </g>
    );
  });
}
