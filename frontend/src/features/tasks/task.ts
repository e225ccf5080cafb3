import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import type { TaskDetail } from "@/api/types";

export const taskQuery = (id: number) =>
  queryOptions({ queryKey: ["task", id], queryFn: () => call(api.GET("/api/v1/tasks/{task_id}", { params: { path: { task_id: id } } })) as Promise<TaskDetail> });

export const useTask = (id: number) => useQuery(taskQuery(id));
