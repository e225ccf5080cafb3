import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";

const reasonsQuery = (site: number) =>
  queryOptions({ queryKey: ["quarantine", site, "reasons"], queryFn: () => call(api.GET("/api/v1/quarantine/reasons", { params: { query: { site } } })) });

export const useReasons = (site: number) => useQuery(reasonsQuery(site));

/** Puts refused files out of sight: some, or all of one reason. */
export function useDismiss(site: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (what: { ids: number[] } | { code: string }) => call(api.POST("/api/v1/quarantine/dismiss", { body: { site, ...what } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["quarantine", site] }),
  });
}
