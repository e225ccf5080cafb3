import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import type { SavedView } from "@/api/types";

export type ViewedPage = SavedView["page"];

export const viewsQuery = (site: number, page: ViewedPage) =>
  queryOptions({
    queryKey: ["views", site, page],
    queryFn: () => call(api.GET("/api/v1/views", { params: { query: { site, page } } })) as Promise<SavedView[]>,
    staleTime: 60_000,
  });

export const useViews = (site: number, page: ViewedPage) => useQuery(viewsQuery(site, page));

export function useChangeViews(site: number, page: ViewedPage) {
  const client = useQueryClient();
  const onSuccess = () => client.invalidateQueries({ queryKey: viewsQuery(site, page).queryKey });
  const save = useMutation({
    mutationFn: (view: { name: string; query: Record<string, unknown>; shared: boolean }) => call(api.POST("/api/v1/views", { body: { site, page, ...view } })),
    onSuccess,
  });
  const forget = useMutation({
    mutationFn: (id: number) => call(api.DELETE("/api/v1/views/{view_id}", { params: { path: { view_id: id } } })),
    onSuccess,
  });
  return { save, forget };
}
