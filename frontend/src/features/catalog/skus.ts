import { infiniteQueryOptions, keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor } from "@/api/paging";

export interface SkuFilter {
  search?: string;
  category?: number;
}

const skusQuery = (site: number, { search, category }: SkuFilter) =>
  infiniteQueryOptions({
    queryKey: ["skus", site, { search, category }],
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/skus", { params: { query: { site, search, category, cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: nextCursor,
    placeholderData: keepPreviousData,
  });

export const useSkus = (site: number, filter: SkuFilter) => useInfiniteQuery(skusQuery(site, filter));
