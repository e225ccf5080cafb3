import { infiniteQueryOptions, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor } from "@/api/paging";
import type { components } from "@/api/schema";
import type { FieldValues } from "@/api/types";

export type SpotCheck = components["schemas"]["SpotCheck"];

const key = (projectId: number) => ["spotChecks", projectId] as const;

const openQuery = (projectId: number) =>
  infiniteQueryOptions({
    queryKey: key(projectId),
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/projects/{project_id}/spot-checks", { params: { path: { project_id: projectId }, query: { cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: nextCursor,
  });
export const useOpenChecks = (projectId: number) => useInfiniteQuery(openQuery(projectId));

export interface Verdict {
  id: number;
  wrong: boolean;
  changed: string[];
  note: string;
  /** of a wrong one: the caption as it should be, which becomes the decision; without it the task goes back on the reviewers' desk */
  fields?: FieldValues;
}

export function useCheck(projectId: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...body }: Verdict) => call(api.POST("/api/v1/spot-checks/{spot_check_id}", { params: { path: { spot_check_id: id } }, body })),
    onSettled: () => Promise.all([client.invalidateQueries({ queryKey: key(projectId) }), client.invalidateQueries({ queryKey: ["quality", projectId] })]),
  });
}
