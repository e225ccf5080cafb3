import { memo, useLayoutEffect, useMemo, useRef } from "react";
import type { HeatMap } from "@/api/types";
import { heatPixels, heatValues } from "./heat";
import styles from "./PhotoStage.module.css";

/** A map over the whole photo, as many canvas pixels as it has parts; the browser stretches and smooths it. */
export const HeatLayer = memo(function HeatLayer({ map, width, height }: { map: HeatMap; width: number; height: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { rows, columns } = map;
  const values = useMemo(() => heatValues(map), [map]);
  useLayoutEffect(() => {
    if (values) canvas.current?.getContext("2d")?.putImageData(new ImageData(heatPixels(values), columns, rows), 0, 0);
  }, [values, columns, rows]);
  return values && <canvas ref={canvas} className={styles.heat} width={columns} height={rows} style={{ width, height }} aria-hidden="true" data-testid="heat" />;
});
