import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import type { OwnAnswer } from "@/api/types";

export const recentKey = (projectId: number) => ["recent", projectId];

const recentQuery = (projectId: number, flagged: boolean) =>
  queryOptions({
    queryKey: [...recentKey(projectId), flagged],
    queryFn: () => call(api.GET("/api/v1/projects/{project_id}/recent", { params: { path: { project_id: projectId }, query: { flagged } } })),
  });

/** My last ten answers; or the last ten that I marked. */
export const useRecent = (projectId: number, flagged = false) => useQuery(recentQuery(projectId, flagged));

/** One of my answers as I gave it. */
export const useOwnAnswer = (annotation: number) =>
  useQuery({
    queryKey: ["own-answer", annotation],
    queryFn: () => call(api.GET("/api/v1/annotations/{annotation_id}", { params: { path: { annotation_id: annotation } } })) as Promise<OwnAnswer>,
  });
