import type { SchemaField, Suggestion } from "@/api/types";
import type { World } from "@/lib/captions";
import type { CatalogRecord } from "@/lib/label/document";

/** What the caption must agree with: the chosen SKU's catalog record, the boxes drawn, the SKUs whose barcodes were read, and what the goods weigh. */
export function worldOf(
  fields: readonly SchemaField[],
  record: CatalogRecord | undefined,
  boxes: number,
  suggestion: Suggestion | null,
  captures: readonly { weight_g: number | null }[] = [],
): World {
  const catalog: Record<string, string> = {};
  for (const field of fields) {
    if (record?.category && field.kind === "category") catalog[field.key] = record.category;
    if (record?.spec && field.kind === "spec") catalog[field.key] = record.spec;
  }
  const barcodes = suggestion?.barcodes.flatMap(({ sku_code }) => sku_code ?? []) ?? [];
  // all views show the same goods: the first that was weighed tells
  const weighed = captures.find(({ weight_g }) => weight_g !== null)?.weight_g ?? 0;
  return { catalog, boxes, barcodes, weight_g: weighed, unit_weight_g: record?.weight_g ?? 0, unit: record?.unit ?? "" };
}

/** How many boxes there are. On several views they show the same goods more than once: 0, not counted. */
export const boxesInOneView = (boxes: readonly { capture: number }[]): number => (new Set(boxes.map(({ capture }) => capture)).size === 1 ? boxes.length : 0);
