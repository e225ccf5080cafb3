import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { taskQuery } from "./task";

export function useReopen(taskId: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (note: string) => call(api.POST("/api/v1/tasks/{task_id}/reopen", { params: { path: { task_id: taskId } }, body: { note } })),
    onSuccess: () => client.invalidateQueries({ queryKey: taskQuery(taskId).queryKey }),
  });
}
