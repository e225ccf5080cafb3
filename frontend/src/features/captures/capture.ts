import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";

const captureQuery = (id: number) =>
  queryOptions({ queryKey: ["capture", id], queryFn: () => call(api.GET("/api/v1/captures/{capture_id}", { params: { path: { capture_id: id } } })) });

export const useCapture = (id: number) => useQuery(captureQuery(id));
