import { infiniteQueryOptions, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor } from "@/api/paging";

const doubtsQuery = (projectId: number) =>
  infiniteQueryOptions({
    queryKey: ["quality", projectId, "doubts"],
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/projects/{project_id}/quality/doubts", { params: { path: { project_id: projectId }, query: { cursor: pageParam || undefined, page_size: 10 } } })),
    initialPageParam: "",
    getNextPageParam: nextCursor,
  });
export const useDoubts = (projectId: number) => useInfiniteQuery(doubtsQuery(projectId));

export function useFindDoubts(projectId: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call(api.POST("/api/v1/projects/{project_id}/quality/doubts", { params: { path: { project_id: projectId } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["jobs"] }),
  });
}
