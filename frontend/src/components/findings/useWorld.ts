import { useQuery } from "@tanstack/react-query";
import { skuAutocompleteQuery } from "@/api/skuAutocomplete";
import type { Capture, SchemaField, Suggestion } from "@/api/types";
import type { World } from "@/lib/captions";
import { worldOf } from "./world";

/** The catalog, the boxes, the weight and the barcodes as they bear on the caption now. A SKU that is not in the catalog says nothing of its fields. */
export function useWorld(site: number, fields: readonly SchemaField[], chosen: string, boxes: number, suggestion: Suggestion | null, captures: readonly Capture[]): World {
  const { data } = useQuery(skuAutocompleteQuery(site, chosen));
  const record = data?.results.find(({ code }) => code.toUpperCase() === chosen.trim().toUpperCase());
  return worldOf(fields, record, boxes, suggestion, captures);
}
