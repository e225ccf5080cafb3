import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";

export const taskQuery = (id: number) =>
  queryOptions({ queryKey: ["task", id], queryFn: () => call(api.GET("/api/v1/tasks/{id}", { params: { path: { id } } })) });

export const useTask = (id: number) => useQuery(taskQuery(id));
