import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, call } from "@/api/client";
import type { DisputeDetail } from "@/api/types";
import { isFree } from "./claim";
import { disputesQuery, type DisputeFilter } from "./disputes";

const path = (taskId: number) => ({ params: { path: { task_id: taskId } } });

/** Opening a dispute claims it for this reviewer, hence POST. */
const claimQuery = (taskId: number) =>
  queryOptions({
    queryKey: ["dispute", taskId, "claimed"],
    queryFn: () => call(api.POST("/api/v1/tasks/{task_id}/dispute", path(taskId))) as Promise<DisputeDetail>,
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
  });

/** Looking at one leaves it to others: what the next one shows is fetched so, ahead of time. */
const lookQuery = (taskId: number) =>
  queryOptions({
    queryKey: ["dispute", taskId, "seen"],
    queryFn: () => call(api.GET("/api/v1/tasks/{task_id}/dispute", path(taskId))) as Promise<DisputeDetail>,
    staleTime: 60_000,
    gcTime: 60_000,
    retry: false,
  });

/** The claimed dispute; until the claim is there, what was seen of it ahead of time. */
export function useDispute(taskId: number) {
  const client = useQueryClient();
  const seen = client.getQueryData(lookQuery(taskId).queryKey);
  return useQuery({ ...claimQuery(taskId), placeholderData: seen });
}

/** Finds the dispute that comes after `taskId` in the queue, and loads it and its photos ahead. */
export function useNextDispute(projectId: number, taskId: number, filter: DisputeFilter) {
  const client = useQueryClient();
  const find = async () => {
    const list = await client.infiniteQuery({ ...disputesQuery(projectId, filter), staleTime: 0 }).catch(() => null);
    return list?.pages[0]?.results.find((one) => one.task.id !== taskId && isFree(one))?.task.id;
  };
  const key = JSON.stringify(filter);
  useEffect(() => {
    let gone = false;
    const ahead = async () => {
      const next = await find();
      if (next === undefined || gone) return;
      const dispute = await client.query(lookQuery(next)).catch(() => null);
      for (const capture of dispute?.captures ?? []) new Image().src = capture.images.display;
    };
    void ahead();
    return () => {
      gone = true;
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `find` is made of these very values
  }, [client, projectId, taskId, key]);
  return find;
}
