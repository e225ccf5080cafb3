import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { projectQuery } from "./project";
import { projectsQuery } from "./projects";

export interface ProjectSettings {
  name?: string;
  overlap?: number;
  threshold?: number;
  boxes_required?: boolean;
  withhold_rate?: number;
  guide?: string;
}

export function useSaveProject(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (settings: ProjectSettings) => call(api.PATCH("/api/v1/projects/{id}", { params: { path: { id } }, body: settings })),
    onSuccess: async (project) => {
      client.setQueryData(projectQuery(id).queryKey, project);
      await client.invalidateQueries({ queryKey: projectsQuery.queryKey });
    },
  });
}
