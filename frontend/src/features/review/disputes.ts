import { infiniteQueryOptions, useInfiniteQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor } from "@/api/paging";

export const disputesQuery = (projectId: number) =>
  infiniteQueryOptions({
    queryKey: ["disputes", projectId],
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/projects/{project_id}/disputes", { params: { path: { project_id: projectId }, query: { cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: nextCursor,
  });

export const useDisputes = (projectId: number) => useInfiniteQuery(disputesQuery(projectId));
