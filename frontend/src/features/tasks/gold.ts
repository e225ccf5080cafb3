import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { taskQuery } from "./task";

export function useGold(taskId: number) {
  const client = useQueryClient();
  const params = { params: { path: { task_id: taskId } } };
  return useMutation({
    mutationFn: (gold: boolean) => (gold ? call(api.POST("/api/v1/tasks/{task_id}/gold", params)) : call(api.DELETE("/api/v1/tasks/{task_id}/gold", params))),
    onSuccess: () => client.invalidateQueries({ queryKey: taskQuery(taskId).queryKey }),
  });
}
