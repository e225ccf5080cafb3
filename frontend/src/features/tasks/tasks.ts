import { infiniteQueryOptions, keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor } from "@/api/paging";
import type { TaskState } from "@/api/types";

export const TASK_SORTS = ["newest", "oldest", "decided_last", "decided_first"] as const;
export const TASK_SOURCES = ["agreed", "single", "arbitrated", "checked", "imported"] as const;

export interface TaskFilter {
  state?: TaskState;
  search?: string;
  sku?: string;
  priority?: "urgent";
  batch?: number;
  source?: (typeof TASK_SOURCES)[number];
  sort?: (typeof TASK_SORTS)[number];
}

const tasksQuery = (project: number, filter: TaskFilter) =>
  infiniteQueryOptions({
    queryKey: ["tasks", project, filter],
    queryFn: ({ pageParam }) => call(api.GET("/api/v1/tasks", { params: { query: { project, ...filter, cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: nextCursor,
    placeholderData: keepPreviousData,
  });

export const useTasks = (project: number, filter: TaskFilter) => useInfiniteQuery(tasksQuery(project, filter));
