import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import type { Batch } from "@/api/types";
import { batchesQuery } from "@/features/projects/batches";

/** With progress that follows the work. */
export const useBatchProgress = (project: number) => useQuery({ ...batchesQuery(project), refetchInterval: 30_000 });

export interface BatchSettings {
  name: string;
  due_at: string | null;
  priority: Batch["priority"];
}

export function useCreateBatch(project: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: BatchSettings) => call(api.POST("/api/v1/projects/{project_id}/batches", { params: { path: { project_id: project } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: batchesQuery(project).queryKey }),
  });
}

export function useChangeBatch(project: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ batch, ...changes }: Partial<BatchSettings> & { batch: Batch; state?: Batch["state"] }) =>
      call(api.PATCH("/api/v1/batches/{batch_id}", { params: { path: { batch_id: batch.id } }, body: { ...changes, version: batch.version } })),
    onSettled: () => client.invalidateQueries({ queryKey: batchesQuery(project).queryKey }),
  });
}
