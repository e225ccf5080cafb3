import { infiniteQueryOptions, queryOptions, useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor, type Page } from "@/api/paging";
import type { components } from "@/api/schema";
import { useRenew } from "./training";

type Schemas = components["schemas"];
export type Model = Schemas["Model"];
export type Live = Schemas["LiveModelDetail"];

const root = "/api/v1/sites/{site_id}/models";
const ROLLING_MS = 1_500;
const RESTING_MS = 15_000;

const modelsQuery = (site: number) =>
  infiniteQueryOptions({
    queryKey: ["models", site, "versions"],
    queryFn: ({ pageParam }) => call(api.GET(root, { params: { path: { site_id: site }, query: { cursor: pageParam || undefined } } })) as Promise<Page<Model>>,
    initialPageParam: "",
    getNextPageParam: nextCursor,
  });

export const useModels = (site: number) => useInfiniteQuery(modelsQuery(site));

/** Which models a site uses, asked again while another is being prepared. */
export const useLive = (site: number) =>
  useQuery(queryOptions({ queryKey: ["models", site, "live"], queryFn: () => call(api.GET(`${root}/live`, { params: { path: { site_id: site } } })), refetchInterval: (query) => (query.state.data?.rollout ? ROLLING_MS : RESTING_MS) }));

export const useComparison = (one: number, other: number) =>
  useQuery(queryOptions({ queryKey: ["models", "compare", one, other], queryFn: () => call(api.GET("/api/v1/models/{version_id}/compare", { params: { path: { version_id: one }, query: { with: other } } })), staleTime: Infinity }));

const seen = (live: Live) => ({ "If-Match": `"${live.revision}"` });

export function usePromote(site: number, live: Live) {
  const renew = useRenew(site);
  return useMutation({
    mutationFn: (version: number) => call(api.POST(`${root}/{version_id}/promote`, { params: { path: { site_id: site, version_id: version }, header: seen(live) }, body: { reason: "" } })),
    onSettled: renew,
  });
}

export function useRollBack(site: number, live: Live) {
  const renew = useRenew(site);
  return useMutation({ mutationFn: () => call(api.POST(`${root}/rollback`, { params: { path: { site_id: site }, header: seen(live) }, body: { reason: "" } })), onSettled: renew });
}

export function useTrial(site: number, live: Live) {
  const renew = useRenew(site);
  return useMutation({
    mutationFn: ({ version, share }: { version: number; share: number }) =>
      share > 0
        ? call(api.PUT(`${root}/trial`, { params: { path: { site_id: site }, header: seen(live) }, body: { version, share, reason: "" } }))
        : call(api.DELETE(`${root}/trial`, { params: { path: { site_id: site }, header: seen(live) } })),
    onSettled: renew,
  });
}
