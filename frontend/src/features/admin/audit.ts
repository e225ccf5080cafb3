import { infiniteQueryOptions, useInfiniteQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor } from "@/api/paging";

const auditQuery = (site: number) =>
  infiniteQueryOptions({
    queryKey: ["audit", site],
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/audit", { params: { query: { site, cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: nextCursor,
  });

export const useAudit = (site: number) => useInfiniteQuery(auditQuery(site));
