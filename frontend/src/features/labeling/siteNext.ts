import { useMutation } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import type { Assignment } from "@/api/types";

/** Takes a task of any project of the site, or goes on with one that is held; null when there is none. */
export const useSiteNext = (site: number) =>
  useMutation({
    mutationFn: async () => {
      const assignment: unknown = await call(api.POST("/api/v1/sites/{site_id}/next", { params: { path: { site_id: site } }, body: {} }));
      return (assignment as Assignment | undefined) ?? null; // 204: nothing left
    },
  });
