import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { renewCatalog } from "./importCatalog";
import { skuQuery } from "./sku";

/** Makes a SKU a name of another one. */
export function useMergeSku(site: number, id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (into: number) => call(api.POST("/api/v1/skus/{sku_id}/merge", { params: { path: { sku_id: id } }, body: { into } })),
    onSuccess: () => Promise.all([renewCatalog(client, site), client.invalidateQueries({ queryKey: skuQuery(id).queryKey })]),
  });
}
