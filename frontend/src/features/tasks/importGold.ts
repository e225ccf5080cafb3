import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { components } from "@/api/schema";
import { postForm } from "@/api/upload";

export type GoldReport = components["schemas"]["GoldReport"];

/** A list of photos and captions by which annotators are measured. */
export function useImportGold(projectId: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (file: File) => {
      const form = new FormData();
      form.set("file", file);
      return postForm<GoldReport>(`/api/v1/projects/${projectId}/gold`, form);
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ["tasks", projectId] }),
  });
}
