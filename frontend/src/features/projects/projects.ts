import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import type { Project } from "@/api/types";

export const projectsQuery = queryOptions({
  queryKey: ["projects"],
  queryFn: () => call(api.GET("/api/v1/projects")) as Promise<Project[]>,
});

export const useProjects = () => useQuery(projectsQuery);
