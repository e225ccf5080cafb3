import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import type { Project } from "@/api/types";
import { projectQuery } from "./project";
import { projectsQuery } from "./projects";

export interface ProjectSettings {
  name?: string;
  overlap?: number;
  threshold?: number;
  boxes_required?: boolean;
  withhold_rate?: number;
  guide?: string;
  /** the version that was edited: a change by somebody else meanwhile is refused */
  version?: number;
}

export function useSaveProject(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (settings: ProjectSettings) => call(api.PATCH("/api/v1/projects/{project_id}", { params: { path: { project_id: id } }, body: settings })) as Promise<Project>,
    onSuccess: async (project) => {
      client.setQueryData(projectQuery(id).queryKey, project);
      await client.invalidateQueries({ queryKey: projectsQuery.queryKey });
    },
  });
}
