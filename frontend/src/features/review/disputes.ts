import { infiniteQueryOptions, keepPreviousData, queryOptions, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor } from "@/api/paging";

export const DISPUTE_SORTS = ["urgent", "worst", "oldest", "newest"] as const;
export const SEVERITIES = ["high", "medium", "low"] as const;

export interface DisputeFilter {
  severity?: (typeof SEVERITIES)[number];
  field?: string;
  pair?: string;
  reopened?: boolean;
  sort?: (typeof DISPUTE_SORTS)[number];
}

/** What of an address narrows or orders the queue. */
export const disputeFilter = (search: Record<string, unknown>): DisputeFilter => ({
  severity: SEVERITIES.find((one) => one === search.severity),
  field: typeof search.field === "string" ? search.field : undefined,
  pair: typeof search.pair === "string" ? search.pair : undefined,
  reopened: search.reopened === true ? true : undefined,
  sort: DISPUTE_SORTS.find((one) => one === search.sort),
});

export const disputesQuery = (projectId: number, filter: DisputeFilter = {}) =>
  infiniteQueryOptions({
    queryKey: ["disputes", projectId, filter],
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/projects/{project_id}/disputes", { params: { path: { project_id: projectId }, query: { ...filter, cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: nextCursor,
    placeholderData: keepPreviousData,
  });

export const useDisputes = (projectId: number, filter?: DisputeFilter) => useInfiniteQuery(disputesQuery(projectId, filter));

export const summaryQuery = (projectId: number) =>
  queryOptions({
    queryKey: ["disputes", projectId, "summary"],
    queryFn: () => call(api.GET("/api/v1/projects/{project_id}/disputes/summary", { params: { path: { project_id: projectId } } })),
    placeholderData: keepPreviousData,
  });

export const useDisputeSummary = (projectId: number) => useQuery(summaryQuery(projectId));
