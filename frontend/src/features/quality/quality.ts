import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";

const qualityQuery = (projectId: number) =>
  queryOptions({
    queryKey: ["quality", projectId],
    queryFn: () => call(api.GET("/api/v1/projects/{project_id}/quality", { params: { path: { project_id: projectId } } })),
    staleTime: 60_000,
  });

export const useQuality = (projectId: number) => useQuery(qualityQuery(projectId));
