import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import type { DisputeDetail } from "@/api/types";

/** Opening a dispute claims it for this reviewer, hence POST. */
export const disputeQuery = (taskId: number) =>
  queryOptions({
    queryKey: ["dispute", taskId],
    queryFn: () => call(api.POST("/api/v1/tasks/{task_id}/dispute", { params: { path: { task_id: taskId } } })) as Promise<DisputeDetail>,
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
  });

export const useDispute = (taskId: number) => useQuery(disputeQuery(taskId));
