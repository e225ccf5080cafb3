import { queryOptions, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { api, call } from "@/api/client";
import type { Job, Project, Pulse } from "@/api/types";
import { projectQuery } from "@/features/projects/project";
import { projectsQuery } from "@/features/projects/projects";

const MOVING_MS = 2_000;
const RESTING_MS = 10_000;
export const isOpen = (job: Job) => job.state === "waiting" || job.state === "running";

const isMoving = (pulse: Pulse | undefined) => pulse !== undefined && (pulse.jobs.some(isOpen) || pulse.trainings.some((run) => run.active));

/** What moves by itself: queues, jobs and trainings. Asked often only while one runs; not at all in a hidden tab. */
export const pulseQuery = queryOptions({
  queryKey: ["pulse"],
  queryFn: () => call(api.GET("/api/v1/pulse")) as Promise<Pulse>,
  // pages that were opened together drift apart, so that thirty people do not ask in the same moment
  refetchInterval: (query) => (isMoving(query.state.data) ? MOVING_MS : RESTING_MS) * (0.9 + 0.2 * Math.random()),
  refetchOnWindowFocus: true,
  staleTime: 1_000,
});

export const renew = (project: Project, pulse: Pulse): Project => {
  const moved = pulse.projects.find((one) => one.id === project.id);
  return moved ? { ...project, counts: moved.counts, my: { ...project.my, ...moved.my } } : project;
};

/** Lays the new figures over the projects that pages have loaded. */
function spread(client: QueryClient, pulse: Pulse): void {
  client.setQueryData(projectsQuery.queryKey, (projects) => projects?.map((project) => renew(project, pulse)));
  for (const { id } of pulse.projects) client.setQueryData(projectQuery(id).queryKey, (project) => project && renew(project, pulse));
}

/** Keeps figures fresh and tells of jobs that end; mounted once. */
export function usePulse(onEnded: (job: Job) => void): Pulse | undefined {
  const client = useQueryClient();
  const { data } = useQuery(pulseQuery);
  const open = useRef(new Set<number>());
  const latest = useRef(onEnded);
  useEffect(() => {
    latest.current = onEnded;
  });
  useEffect(() => {
    if (!data) return;
    spread(client, data);
    for (const job of data.jobs) {
      if (isOpen(job)) open.current.add(job.id);
      else if (open.current.delete(job.id)) latest.current(job);
    }
  }, [client, data]);
  return data;
}

/** Asks at once, for instance after a job was started. */
export function usePulseNow(): () => Promise<void> {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: pulseQuery.queryKey });
}
