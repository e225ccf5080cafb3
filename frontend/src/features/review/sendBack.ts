import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, call } from "@/api/client";

export function useSendBack(taskId: number) {
  const [key] = useState(() => crypto.randomUUID());
  return useMutation({
    mutationFn: (body: { token: string; note: string }) => call(api.POST("/api/v1/tasks/{task_id}/send-back", { params: { path: { task_id: taskId }, header: { "Idempotency-Key": key } }, body })),
  });
}
