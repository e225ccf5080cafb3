import { memo, useLayoutEffect, useMemo, useRef } from "react";
import type { HeatMap } from "@/api/types";
import { enlarged, heatPixels, heatValues } from "./heat";
import styles from "./PhotoStage.module.css";

/** A map over the whole photo: one canvas of a few hundred pixels a side, which the browser stretches smoothly. */
export const HeatLayer = memo(function HeatLayer({ map, width, height }: { map: HeatMap; width: number; height: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const fine = useMemo(() => {
    const values = heatValues(map);
    return values && enlarged(values, map.columns, map.rows);
  }, [map]);
  useLayoutEffect(() => {
    if (fine) canvas.current?.getContext("2d")?.putImageData(new ImageData(heatPixels(fine.values, fine.columns), fine.columns), 0, 0);
  }, [fine]);
  return fine && <canvas ref={canvas} className={styles.heat} width={fine.columns} height={fine.rows} style={{ width, height }} aria-hidden="true" data-testid="heat" />;
});
