import { infiniteQueryOptions, keepPreviousData, queryOptions, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor } from "@/api/paging";
import type { FeedbackDetail } from "@/api/types";
import { usePulseNow } from "@/features/jobs/pulse";

export const OUTCOMES = ["corrected", "upheld", "sent_back", "rejected"] as const;

export interface FeedbackFilter {
  outcome?: (typeof OUTCOMES)[number];
  unread?: boolean;
}

const listQuery = (filter: FeedbackFilter) =>
  infiniteQueryOptions({
    queryKey: ["feedback", "list", filter],
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/feedback", { params: { query: { ...filter, cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: nextCursor,
    placeholderData: keepPreviousData,
  });

export const useFeedbackList = (filter: FeedbackFilter) => useInfiniteQuery(listQuery(filter));

/** One of them; the server takes it for read. */
const oneQuery = (id: number) =>
  queryOptions({
    queryKey: ["feedback", "one", id],
    queryFn: () => call(api.GET("/api/v1/feedback/{feedback_id}", { params: { path: { feedback_id: id } } })) as Promise<FeedbackDetail>,
  });

export const useFeedback = (id: number) => useQuery(oneQuery(id));

/** After something was read: the list and the count beside its name. */
export function useRefreshFeedback() {
  const client = useQueryClient();
  const pulseNow = usePulseNow();
  return () => Promise.all([client.invalidateQueries({ queryKey: ["feedback", "list"] }), pulseNow()]);
}

export function useReadAll() {
  const refresh = useRefreshFeedback();
  return useMutation({ mutationFn: () => call(api.POST("/api/v1/feedback/read", { body: {} })), onSuccess: refresh });
}
