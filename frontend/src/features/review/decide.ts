import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, call } from "@/api/client";
import type { Attributes, Box, FieldValues } from "@/api/types";

export interface Verdict {
  token: string;
  fields: FieldValues;
  boxes: Box[];
  attributes: Attributes;
  note?: string;
}

export function useDecide(taskId: number, projectId: number) {
  const client = useQueryClient();
  // one key a page: pressing twice, or again after a broken line, decides once
  const [key] = useState(() => crypto.randomUUID());
  return useMutation({
    mutationFn: (verdict: Verdict) => call(api.POST("/api/v1/tasks/{task_id}/decide", { params: { path: { task_id: taskId }, header: { "Idempotency-Key": key } }, body: { ...verdict, note: verdict.note ?? "", attributes: { ...verdict.attributes } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["project", projectId] }),
  });
}
