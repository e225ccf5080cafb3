import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import type { Project } from "@/api/types";

export const projectQuery = (id: number) =>
  queryOptions({
    queryKey: ["project", id],
    queryFn: () => call(api.GET("/api/v1/projects/{project_id}", { params: { path: { project_id: id } } })) as Promise<Project>,
  });

export const useProject = (id: number) => useQuery(projectQuery(id));
