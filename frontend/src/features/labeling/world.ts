import type { SchemaField, Suggestion } from "@/api/types";
import type { World } from "@/lib/captions";
import type { CatalogRecord } from "@/lib/label/document";

/** What the caption must agree with: the chosen SKU's catalog record, the boxes drawn, and the SKUs whose barcodes were read. */
export function worldOf(fields: readonly SchemaField[], record: CatalogRecord | undefined, boxes: number, suggestion: Suggestion | null): World {
  const catalog: Record<string, string> = {};
  for (const field of fields) {
    if (record?.category && field.kind === "category") catalog[field.key] = record.category;
    if (record?.spec && field.kind === "spec") catalog[field.key] = record.spec;
  }
  const barcodes = suggestion?.barcodes.flatMap(({ sku_code }) => sku_code ?? []) ?? [];
  return { catalog, boxes, barcodes };
}
