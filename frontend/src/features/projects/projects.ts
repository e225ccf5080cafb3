import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";

export const projectsQuery = queryOptions({
  queryKey: ["projects"],
  queryFn: () => call(api.GET("/api/v1/projects")),
});

export const useProjects = () => useQuery(projectsQuery);
