import { queryOptions, useMutation, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import type { Job } from "@/api/types";
import { isOpen, usePulseNow } from "./pulse";

export const jobQuery = (id: number) =>
  queryOptions({
    queryKey: ["job", id],
    queryFn: () => call(api.GET("/api/v1/jobs/{job_id}", { params: { path: { job_id: id } } })) as Promise<Job>,
    refetchInterval: (query) => (query.state.data && !isOpen(query.state.data) ? false : 1_000),
  });

/** A job that a page shows large; asked once a second while it runs. */
export const useJob = (id: number | undefined) => useQuery({ ...jobQuery(id ?? 0), enabled: id !== undefined });

export function useCancelJob() {
  const pulseNow = usePulseNow();
  return useMutation({
    mutationFn: (id: number) => call(api.POST("/api/v1/jobs/{job_id}/cancel", { params: { path: { job_id: id } } })),
    onSettled: pulseNow,
  });
}
