import { infiniteQueryOptions, keepPreviousData, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor, type Page } from "@/api/paging";
import type { Snapshot, SnapshotDifference } from "@/api/types";
import { usePulseNow } from "@/features/jobs/pulse";

export const WEIGHTINGS = ["even", "sales", "need"] as const;
export const CHANGES = ["added", "removed", "changed", "moved"] as const;
export type ChangeKind = (typeof CHANGES)[number];

export interface SnapshotSettings {
  seed: number;
  weighting: Snapshot["weighting"];
}

const MOVING_MS = 1_500;
export const isBeingMade = (snapshot: Snapshot) => snapshot.state === "waiting" || snapshot.state === "running";

const snapshotsQuery = (project: number) =>
  infiniteQueryOptions({
    queryKey: ["snapshots", project],
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/projects/{project_id}/snapshots", { params: { path: { project_id: project }, query: { cursor: pageParam || undefined } } })) as Promise<Page<Snapshot>>,
    initialPageParam: "",
    getNextPageParam: nextCursor,
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.results.some(isBeingMade)) ? MOVING_MS : false),
  });

/** A project's snapshots, asked again while one is being made. */
export const useSnapshots = (project: number) => useInfiniteQuery(snapshotsQuery(project));

export function useCreateSnapshot(project: number) {
  const client = useQueryClient();
  const pulseNow = usePulseNow();
  return useMutation({
    mutationFn: (body: SnapshotSettings) => call(api.POST("/api/v1/projects/{project_id}/snapshots", { params: { path: { project_id: project } }, body })),
    onSuccess: () => Promise.all([client.invalidateQueries({ queryKey: snapshotsQuery(project).queryKey }), pulseNow()]),
  });
}

const differenceQuery = (before: number, after: number, kind: ChangeKind | undefined) =>
  infiniteQueryOptions({
    queryKey: ["snapshots", "difference", before, after, kind],
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/snapshots/{snapshot_id}/diff/{other_id}", { params: { path: { snapshot_id: before, other_id: after }, query: { kind, cursor: pageParam || undefined } } })) as Promise<SnapshotDifference>,
    initialPageParam: "",
    getNextPageParam: nextCursor,
    placeholderData: keepPreviousData,
    staleTime: Infinity, // neither of the two ever changes
  });

export const useDifference = (before: number, after: number, kind: ChangeKind | undefined) => useInfiniteQuery(differenceQuery(before, after, kind));
