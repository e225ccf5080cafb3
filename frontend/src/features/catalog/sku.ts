import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";

export const skuQuery = (id: number) => queryOptions({ queryKey: ["sku", id], queryFn: () => call(api.GET("/api/v1/skus/{sku_id}", { params: { path: { sku_id: id } } })) });

export const useSku = (id: number) => useQuery(skuQuery(id));
