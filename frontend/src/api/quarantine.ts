import { infiniteQueryOptions, useInfiniteQuery } from "@tanstack/react-query";
import { api, call } from "./client";
import { nextCursor } from "./paging";

export const quarantineQuery = (site: number, code?: string) =>
  infiniteQueryOptions({
    queryKey: ["quarantine", site, "files", code],
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/quarantine", { params: { query: { site, code, cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: nextCursor,
  });

export const useQuarantine = (site: number, code?: string) => useInfiniteQuery(quarantineQuery(site, code));
