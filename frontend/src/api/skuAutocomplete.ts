import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "./client";

export const skuAutocompleteQuery = (site: number, q: string) =>
  queryOptions({
    queryKey: ["skus", "autocomplete", site, q],
    queryFn: ({ signal }) => call(api.GET("/api/v1/skus/autocomplete", { params: { query: { site, q, limit: 8 } }, signal })),
    enabled: q.trim() !== "",
    staleTime: 60_000,
    placeholderData: keepPreviousData,
  });

export const useSkuAutocomplete = (site: number, q: string) => useQuery(skuAutocompleteQuery(site, q));
