import { infiniteQueryOptions, useInfiniteQuery } from "@tanstack/react-query";
import { api, call } from "./client";
import { nextCursor } from "./paging";

export const quarantineQuery = (site: number) =>
  infiniteQueryOptions({
    queryKey: ["quarantine", site],
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/quarantine", { params: { query: { site, cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: nextCursor,
  });

export const useQuarantine = (site: number) => useInfiniteQuery(quarantineQuery(site));
