import type { Metric } from "@/api/types";

/** A metric's number as a person reads it. */
export function show(value: number | null, unit: Metric["unit"]): string {
  if (value === null) return "–";
  if (unit === "%") return `${value.toFixed(value > 0 && value < 10 ? 2 : 1)}%`;
  if (unit === "s") return `${value.toFixed(value < 100 ? 1 : 0)} s`;
  return value.toFixed(1);
}

export const showInterval = (interval: Metric["interval"], unit: Metric["unit"]): string | null =>
  interval?.length === 2 ? `${show(interval[0] ?? null, unit)} – ${show(interval[1] ?? null, unit)}` : null;
