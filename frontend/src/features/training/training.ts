import { infiniteQueryOptions, keepPreviousData, queryOptions, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor, type Page } from "@/api/paging";
import type { components } from "@/api/schema";
import { usePulseNow } from "@/features/jobs/pulse";

type Schemas = components["schemas"];
export type Run = Schemas["Run"];
export type RunDetail = Schemas["RunDetail"];
export type Difference = Schemas["DifferenceOfPart"];
export type Gate = Schemas["Gate"];
export type Schedule = Schemas["Schedule"];

const MOVING_MS = 1_500;
const RESTING_MS = 20_000;
const root = "/api/v1/sites/{site_id}/training";

const runsQuery = (site: number) =>
  infiniteQueryOptions({
    queryKey: ["training", site, "runs"],
    queryFn: ({ pageParam }) => call(api.GET(`${root}/runs`, { params: { path: { site_id: site }, query: { cursor: pageParam || undefined } } })) as Promise<Page<Run>>,
    initialPageParam: "",
    getNextPageParam: nextCursor,
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.results.some((run) => run.active)) ? MOVING_MS : RESTING_MS),
  });

/** A site's runs, asked again while one is at work. */
export const useRuns = (site: number) => useInfiniteQuery(runsQuery(site));

const runPath = (run: Run) => ({ params: { path: { site_id: run.site, run_id: run.id } } });
const every = (run: Run) => (run.active ? MOVING_MS : false);

export const useRun = (run: Run) => useQuery(queryOptions({ queryKey: ["training", run.site, "run", run.id, run.state], queryFn: () => call(api.GET(`${root}/runs/{run_id}`, runPath(run))) }));

export const useCurve = (run: Run) =>
  useQuery(queryOptions({ queryKey: ["training", run.site, "curve", run.id], queryFn: () => call(api.GET(`${root}/runs/{run_id}/curve`, runPath(run))), refetchInterval: every(run) }));

export const useLog = (run: Run) => useQuery(queryOptions({ queryKey: ["training", run.site, "log", run.id], queryFn: () => call(api.GET(`${root}/runs/{run_id}/log`, runPath(run))), refetchInterval: every(run) }));

export const SHOWN = ["wrong", "won", "lost"] as const;
export type Shown = (typeof SHOWN)[number];

export const useResults = (run: Run, show: Shown) =>
  useQuery(
    queryOptions({
      queryKey: ["training", run.site, "results", run.id, show],
      queryFn: () => call(api.GET(`${root}/runs/{run_id}/results`, { params: { path: { site_id: run.site, run_id: run.id }, query: { show } } })),
      enabled: run.passed !== null,
      placeholderData: keepPreviousData,
    }),
  );

/** What changes a run, or what is live by it, shows everywhere at once. */
export function useRenew(site: number) {
  const client = useQueryClient();
  const pulseNow = usePulseNow();
  return () => Promise.all([client.invalidateQueries({ queryKey: ["training", site] }), client.invalidateQueries({ queryKey: ["models", site] }), pulseNow()]);
}

export interface Asked {
  project: number;
  method: Run["method"];
  arguments: { epochs?: number };
}

export function useStartRun(site: number) {
  const renew = useRenew(site);
  return useMutation({ mutationFn: (body: Asked) => call(api.POST(`${root}/runs`, { params: { path: { site_id: site } }, body })), onSuccess: renew });
}

export function useCancelRun(run: Run) {
  const renew = useRenew(run.site);
  return useMutation({ mutationFn: () => call(api.POST(`${root}/runs/{run_id}/cancel`, runPath(run))), onSettled: renew });
}

export function useRetryRun(run: Run) {
  const renew = useRenew(run.site);
  return useMutation({ mutationFn: () => call(api.POST(`${root}/runs/{run_id}/retry`, runPath(run))), onSettled: renew });
}

const gateQuery = (site: number) => queryOptions({ queryKey: ["training", site, "gate"], queryFn: () => call(api.GET(`${root}/gate`, { params: { path: { site_id: site } } })) });

export const useGate = (site: number) => useQuery(gateQuery(site));

export function useSetGate(site: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ version, ...body }: Gate) => call(api.PUT(`${root}/gate`, { params: { path: { site_id: site }, header: { "If-Match": `"${version}"` } }, body })),
    onSuccess: (gate) => client.setQueryData(gateQuery(site).queryKey, gate),
  });
}

const scheduleQuery = (site: number) =>
  queryOptions({
    queryKey: ["training", site, "schedule"],
    queryFn: () => call(api.GET(`${root}/schedule`, { params: { path: { site_id: site } } })),
  });

export const useSchedule = (site: number) => useQuery(scheduleQuery(site));

export function useSetSchedule(site: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ version, ...body }: Schedule) => call(api.PUT(`${root}/schedule`, { params: { path: { site_id: site }, header: { "If-Match": `"${version}"` } }, body })),
    onSuccess: (schedule) => client.setQueryData(scheduleQuery(site).queryKey, schedule),
  });
}
