import { infiniteQueryOptions, keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor } from "@/api/paging";

export interface CaptureFilter {
  search?: string;
  cam?: string;
  duplicate?: boolean;
}

const capturesQuery = (site: number, { search, cam, duplicate }: CaptureFilter) =>
  infiniteQueryOptions({
    queryKey: ["captures", site, { search, cam, duplicate }],
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/captures", { params: { query: { site, search, cam_type: cam as "top" | undefined, duplicate, page_size: 60, cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: nextCursor,
    placeholderData: keepPreviousData,
  });

export const useCaptures = (site: number, filter: CaptureFilter) => useInfiniteQuery(capturesQuery(site, filter));
