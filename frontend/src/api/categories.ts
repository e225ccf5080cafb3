import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "./client";

export const categoriesQuery = (site: number) =>
  queryOptions({
    queryKey: ["categories", site],
    queryFn: () => call(api.GET("/api/v1/categories", { params: { query: { site } } })),
    staleTime: 300_000,
  });

export const useCategories = (site: number) => useQuery(categoriesQuery(site));
