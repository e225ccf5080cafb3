import { useMutation } from "@tanstack/react-query";
import { api, call } from "@/api/client";

export function useReject(taskId: number) {
  return useMutation({
    mutationFn: (body: { token: string; reason: string; note?: string }) => call(api.POST("/api/v1/tasks/{task_id}/reject", { params: { path: { task_id: taskId } }, body: { ...body, note: body.note ?? "" } })),
  });
}
