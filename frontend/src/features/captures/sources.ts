import { queryOptions, useMutation, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { usePulseNow } from "@/features/jobs/pulse";
import type { Destination } from "./upload";

const sourcesQuery = (site: number) =>
  queryOptions({
    queryKey: ["sources", site],
    queryFn: () => call(api.GET("/api/v1/captures/sources", { params: { query: { site } } })),
    staleTime: 300_000,
  });

export const useSources = (site: number) => useQuery(sourcesQuery(site));

/** What people paste: one address a line, or many with spaces between; each once. */
export const addressesIn = (text: string): string[] => [...new Set(text.split(/\s+/).filter(Boolean))];

export type Source = { urls: string[] } | { source: string };

/** Starts taking in from addresses or from a named source; gives the job. */
export function useTakeIn(to: Destination, onJob: (job: number) => void) {
  const pulseNow = usePulseNow();
  const { site, project, batch, camType } = to;
  const common = { site, project, batch, cam_type: (camType ?? "") as "top" | "" };
  return useMutation({
    mutationFn: async (from: Source) => {
      const started =
        "urls" in from
          ? await call(api.POST("/api/v1/captures/urls", { body: { ...common, urls: from.urls } }))
          : await call(api.POST("/api/v1/captures/sources", { body: { ...common, source: from.source } }));
      return started.job;
    },
    onSuccess: (job) => {
      onJob(job);
      void pulseNow();
    },
  });
}
