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
    mutationFn: (verdict: Verdict) => call(api.POST("/api/v1/tasks/{id}/decide", { params: { path: { id: taskId }, header: { "Idempotency-Key": key } }, body: verdict })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["project", projectId] }),
  });
}
