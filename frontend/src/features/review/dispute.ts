import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";

/** Reading a dispute claims it for this reviewer. */
export const disputeQuery = (taskId: number) =>
  queryOptions({
    queryKey: ["dispute", taskId],
    queryFn: () => call(api.GET("/api/v1/tasks/{id}/dispute", { params: { path: { id: taskId } } })),
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
  });

export const useDispute = (taskId: number) => useQuery(disputeQuery(taskId));
