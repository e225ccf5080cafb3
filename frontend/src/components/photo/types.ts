import type { Rect } from "@/lib/geometry/rect";

export type Tool = "select" | "pan" | "box";
/** Whose box it is decides its colour. */
export type Hue = "own" | "a" | "b" | "final";

export interface StageBox extends Rect {
  id: string;
  hue: Hue;
  label?: string;
  locked?: boolean;
}

export interface Overlay {
  id: string;
  kind: "ocr" | "barcode";
  /** pixels of the upright original */
  polygon: number[][];
  title: string;
  /** holds a word that speaks for the chosen candidate */
  speaks?: boolean;
}
