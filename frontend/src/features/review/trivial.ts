import { infiniteQueryOptions, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor, type Page } from "@/api/paging";
import type { TrivialDispute } from "@/api/types";

export const TRIVIAL_KINDS = ["catalog", "writing", "minor"] as const;
export type TrivialKind = (typeof TRIVIAL_KINDS)[number];

const trivialQuery = (projectId: number, kind: TrivialKind | undefined) =>
  infiniteQueryOptions({
    queryKey: ["disputes", projectId, "trivial", kind],
    queryFn: ({ pageParam }) =>
      call(api.GET("/api/v1/projects/{project_id}/disputes/trivial", { params: { path: { project_id: projectId }, query: { kind, cursor: pageParam || undefined } } })) as Promise<Page<TrivialDispute>>,
    initialPageParam: "",
    getNextPageParam: nextCursor,
  });

export const useTrivial = (projectId: number, kind: TrivialKind | undefined) => useInfiniteQuery(trivialQuery(projectId, kind));

export function useSettle(projectId: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (items: { task: number; caption: string }[]) => call(api.POST("/api/v1/projects/{project_id}/disputes/trivial", { params: { path: { project_id: projectId } }, body: { items } })),
    onSettled: () => Promise.all([client.invalidateQueries({ queryKey: ["disputes", projectId] }), client.invalidateQueries({ queryKey: ["project", projectId] })]),
  });
}
