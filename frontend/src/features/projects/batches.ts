import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";

export const batchesQuery = (project: number) =>
  queryOptions({
    queryKey: ["batches", project],
    queryFn: () => call(api.GET("/api/v1/projects/{project_id}/batches", { params: { path: { project_id: project } } })),
    staleTime: 30_000,
  });

export const useBatches = (project: number | undefined) => useQuery({ ...batchesQuery(project ?? 0), enabled: project !== undefined });
