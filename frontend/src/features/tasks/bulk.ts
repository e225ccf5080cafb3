import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { usePulseNow } from "@/features/jobs/pulse";
import type { wanted } from "./selection";

type Wanted = ReturnType<typeof wanted>;
export type BulkAction = { action: "priority"; value: "urgent" | "normal" } | { action: "reject" } | { action: "move"; value: number } | { action: "batch"; value: number | null } | { action: "export" };

/** Starts a job over the selected tasks; the header shows how far it is. */
export function useBulk(projectId: number) {
  const client = useQueryClient();
  const pulseNow = usePulseNow();
  const params = { path: { project_id: projectId } };
  return useMutation({
    mutationFn: ({ selection, ...asked }: BulkAction & { selection: Wanted }) =>
      asked.action === "export" ? call(api.POST("/api/v1/projects/{project_id}/dataset.zip", { params, body: { selection } })) : call(api.POST("/api/v1/projects/{project_id}/tasks/bulk", { params, body: { selection, ...asked } })),
    onSuccess: () => Promise.all([pulseNow(), client.invalidateQueries({ queryKey: ["tasks", projectId] })]),
  });
}
