import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";

const settingsQuery = (site: number) =>
  queryOptions({ queryKey: ["siteSettings", site], queryFn: () => call(api.GET("/api/v1/sites/{site_id}/settings", { params: { path: { site_id: site } } })) });

export type SiteSettings = Awaited<ReturnType<NonNullable<ReturnType<typeof settingsQuery>["queryFn"]>>>;

export const useSiteSettings = (site: number) => useQuery(settingsQuery(site));

export function useChangeSiteSettings(site: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (changes: Partial<SiteSettings>) => call(api.PATCH("/api/v1/sites/{site_id}/settings", { params: { path: { site_id: site } }, body: changes })),
    onSuccess: (settings) => client.setQueryData(settingsQuery(site).queryKey, settings),
  });
}
