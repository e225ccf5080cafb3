import { infiniteQueryOptions, keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor, type Page } from "@/api/paging";
import type { Job } from "@/api/types";
import { isOpen } from "./pulse";

export const JOB_STATES = ["waiting", "running", "done", "failed", "cancelled"] as const;

export interface JobFilter {
  kind?: string;
  state?: (typeof JOB_STATES)[number];
}

const MOVING_MS = 1_500;
const RESTING_MS = 15_000;

const jobsQuery = (site: number, filter: JobFilter) =>
  infiniteQueryOptions({
    queryKey: ["jobs", site, filter],
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/jobs", { params: { query: { site, ...filter, cursor: pageParam || undefined } } })) as Promise<Page<Job>>,
    initialPageParam: "",
    getNextPageParam: nextCursor,
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.results.some(isOpen)) ? MOVING_MS : RESTING_MS),
  });

/** Long work of a site, asked again while some of it runs. */
export const useJobs = (site: number, filter: JobFilter) => useInfiniteQuery(jobsQuery(site, filter));
