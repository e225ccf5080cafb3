import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";

const qualityQuery = (projectId: number) =>
  queryOptions({
    queryKey: ["quality", projectId],
    queryFn: () => call(api.GET("/api/v1/projects/{id}/quality", { params: { path: { id: projectId } } })),
    staleTime: 60_000,
  });

export const useQuality = (projectId: number) => useQuery(qualityQuery(projectId));
