import { infiniteQueryOptions, keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor } from "@/api/paging";

export const CAPTURE_SORTS = ["newest", "oldest", "blurriest", "darkest"] as const;
export const SUGGESTION_STATES = ["waiting", "done", "failed"] as const;
export const CAMERAS = ["top", "front", "side"] as const;

export interface CaptureFilter {
  search?: string;
  cam?: (typeof CAMERAS)[number];
  duplicate?: boolean;
  /** with a task there */
  project?: number;
  /** of the machine's suggestion */
  state?: (typeof SUGGESTION_STATES)[number];
  sort?: (typeof CAPTURE_SORTS)[number];
}

const capturesQuery = (site: number, { cam, ...filter }: CaptureFilter) =>
  infiniteQueryOptions({
    queryKey: ["captures", site, { cam, ...filter }],
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/captures", { params: { query: { site, cam_type: cam, ...filter, page_size: 60, cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: nextCursor,
    placeholderData: keepPreviousData,
  });

export const useCaptures = (site: number, filter: CaptureFilter) => useInfiniteQuery(capturesQuery(site, filter));
