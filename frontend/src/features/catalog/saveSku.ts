import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { skuQuery } from "./sku";

export interface SkuEdit {
  code: string;
  name: string;
  brand: string;
  /** a path such as 食品/乳制品; new ones are made */
  category: string;
  spec: string;
  unit: string;
  barcode: string;
  /** grams of one unit */
  weight_g: number | null;
  pack_text: string;
  active: boolean;
  /** the version that was edited: a change by somebody else meanwhile is refused */
  version?: number;
}

/** Makes a new SKU, or changes the one with this id. */
export function useSaveSku(site: number, id: number | null) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (edit: SkuEdit) =>
      id === null ? call(api.POST("/api/v1/skus", { body: { site, ...edit } })) : call(api.PATCH("/api/v1/skus/{sku_id}", { params: { path: { sku_id: id } }, body: edit })),
    onSuccess: async (sku) => {
      client.setQueryData(skuQuery(sku.id).queryKey, sku);
      await client.invalidateQueries({ queryKey: ["skus", site] });
    },
  });
}
