import { useState } from "react";
import { readStored, writeStored } from "@/lib/storage";

export interface Layers {
  ocr: boolean;
  barcode: boolean;
  heat: boolean;
}

const KEY = "wv.layers";

/** What of the machine lies over the photo; stays as it was set, photo after photo. */
export function useLayers() {
  const [layers, setLayers] = useState<Layers>(() => ({ ocr: false, barcode: true, heat: false, ...(readStored(KEY) as Partial<Layers> | null) }));
  const toggle = (layer: keyof Layers) => () => {
    const next = { ...layers, [layer]: !layers[layer] };
    setLayers(next);
    writeStored(KEY, next);
  };
  return { layers, toggle };
}
