import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";

export const projectQuery = (id: number) =>
  queryOptions({
    queryKey: ["project", id],
    queryFn: () => call(api.GET("/api/v1/projects/{id}", { params: { path: { id } } })),
  });

export const useProject = (id: number) => useQuery(projectQuery(id));
