import { infiniteQueryOptions, keepPreviousData, queryOptions, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor } from "@/api/paging";
import type { components } from "@/api/schema";

export const BY = ["annotator", "reviewer", "category", "batch", "camera", "week"] as const;
export type By = (typeof BY)[number];

/** What a list of tasks behind a figure is narrowed to. */
export interface Behind {
  metric: string;
  by?: By;
  at?: string;
  flawed?: boolean;
}

const qualityQuery = (projectId: number) =>
  queryOptions({
    queryKey: ["quality", projectId],
    queryFn: () => call(api.GET("/api/v1/projects/{project_id}/quality", { params: { path: { project_id: projectId } } })),
    staleTime: 60_000,
  });
export const useQuality = (projectId: number) => useQuery(qualityQuery(projectId));

const breakdownQuery = (projectId: number, metric: string, by: By) =>
  queryOptions({
    queryKey: ["quality", projectId, "breakdown", metric, by],
    queryFn: () => call(api.GET("/api/v1/projects/{project_id}/quality/breakdown", { params: { path: { project_id: projectId }, query: { metric, by } } })),
    placeholderData: keepPreviousData,
  });
export const useBreakdown = (projectId: number, metric: string, by: By) => useQuery(breakdownQuery(projectId, metric, by));

const behindQuery = (projectId: number, query: Behind) =>
  infiniteQueryOptions({
    queryKey: ["quality", projectId, "tasks", query],
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/projects/{project_id}/quality/tasks", { params: { path: { project_id: projectId }, query: { ...query, cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: nextCursor,
  });
export const useBehind = (projectId: number, query: Behind) => useInfiniteQuery(behindQuery(projectId, query));

const personQuery = (projectId: number, userId: number) =>
  queryOptions({
    queryKey: ["quality", projectId, "person", userId],
    queryFn: () => call(api.GET("/api/v1/projects/{project_id}/quality/people/{user_id}", { params: { path: { project_id: projectId, user_id: userId } } })),
  });
export const usePerson = (projectId: number, userId: number) => useQuery(personQuery(projectId, userId));

const mineQuery = (projectId: number) =>
  queryOptions({
    queryKey: ["quality", projectId, "mine"],
    queryFn: () => call(api.GET("/api/v1/projects/{project_id}/my-quality", { params: { path: { project_id: projectId } } })),
  });
export const useMine = (projectId: number) => useQuery(mineQuery(projectId));

export function useChangeStanding(projectId: number, userId: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: components["schemas"]["StandingChangeRequest"]) =>
      call(api.PUT("/api/v1/projects/{project_id}/quality/people/{user_id}/standing", { params: { path: { project_id: projectId, user_id: userId } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["quality", projectId] }),
  });
}

export type Figure = components["schemas"]["Figure"];
export type QualityReport = components["schemas"]["Quality"];
