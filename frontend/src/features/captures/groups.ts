import { infiniteQueryOptions, queryOptions, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor } from "@/api/paging";

const groupsQuery = (site: number) =>
  infiniteQueryOptions({
    queryKey: ["groups", site],
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/captures/groups", { params: { query: { site, cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: nextCursor,
  });

export const useGroups = (site: number) => useInfiniteQuery(groupsQuery(site));

const groupQuery = (id: number) =>
  queryOptions({ queryKey: ["group", id], queryFn: () => call(api.GET("/api/v1/captures/groups/{group_id}", { params: { path: { group_id: id } } })) });

export const useGroup = (id: number) => useQuery(groupQuery(id));
