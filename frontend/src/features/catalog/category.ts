import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { renewCatalog } from "./importCatalog";

type Change = { do: "add"; name: string; parent: number | null } | { do: "change"; id: number; name: string; parent: number | null } | { do: "remove"; id: number; into?: number };

/** Adds, renames, moves or removes a category. */
export function useChangeCategory(site: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (change: Change): Promise<void> => {
      if (change.do === "add") await call(api.POST("/api/v1/categories", { body: { site, name: change.name, parent: change.parent } }));
      else {
        const path = { category_id: change.id };
        if (change.do === "change") await call(api.PATCH("/api/v1/categories/{category_id}", { params: { path }, body: { name: change.name, parent: change.parent } }));
        else await call(api.DELETE("/api/v1/categories/{category_id}", { params: { path, query: { into: change.into } } }));
      }
    },
    onSuccess: () => renewCatalog(client, site),
  });
}
