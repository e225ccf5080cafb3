import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import type { Project } from "@/api/types";
import { projectsQuery } from "./projects";

/** The projects of one site as its admins keep them, the archived ones apart. */
const siteProjectsQuery = (site: number, archived: boolean) =>
  queryOptions({
    queryKey: [...projectsQuery.queryKey, "site", site, archived],
    queryFn: () => call(api.GET("/api/v1/projects", { params: { query: { site, archived } } })) as Promise<Project[]>,
  });

export const useSiteProjects = (site: number, archived: boolean) => useQuery(siteProjectsQuery(site, archived));

interface Naming {
  name: string;
  slug: string;
}

/** Makes a project, or with `origin` a copy of its settings, schema and instructions. */
export function useNewProject(site: number, origin: number | null) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (naming: Naming) =>
      (origin === null
        ? call(api.POST("/api/v1/projects", { body: { site, ...naming } }))
        : call(api.POST("/api/v1/projects/{project_id}/clone", { params: { path: { project_id: origin } }, body: naming }))) as Promise<Project>,
    onSuccess: () => client.invalidateQueries({ queryKey: projectsQuery.queryKey }),
  });
}
