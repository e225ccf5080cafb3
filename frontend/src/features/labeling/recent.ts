import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";

const recentQuery = (projectId: number) =>
  queryOptions({
    queryKey: ["recent", projectId],
    queryFn: () => call(api.GET("/api/v1/projects/{project_id}/recent", { params: { path: { project_id: projectId } } })),
  });

export const useRecent = (projectId: number) => useQuery(recentQuery(projectId));
