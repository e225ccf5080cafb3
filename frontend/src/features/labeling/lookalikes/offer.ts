import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";

const ASK_EVERY_MS = 60_000;

export interface Offer {
  sku: { code: string; name: string } | null;
  count: number;
}

export const offerKey = (projectId: number) => ["lookalikes", projectId];

const offerQuery = (projectId: number, wanted: boolean) =>
  queryOptions({
    queryKey: offerKey(projectId),
    queryFn: async () => {
      const offer: unknown = await call(api.GET("/api/v1/projects/{project_id}/lookalikes", { params: { path: { project_id: projectId } } }));
      return (offer as Offer | undefined) ?? null; // 204: there are none
    },
    refetchInterval: ASK_EVERY_MS,
    enabled: wanted,
  });

/** Whether there are look-alikes to be had; null when not. */
export const useOffer = (projectId: number, wanted: boolean) => useQuery(offerQuery(projectId, wanted)).data ?? null;
