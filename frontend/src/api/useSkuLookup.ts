import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { skuAutocompleteQuery } from "./skuAutocomplete";
import type { SkuHit } from "./types";

/** The catalog's record of a code or barcode typed in full, as a scanner types it. */
export function useSkuLookup(site: number) {
  const client = useQueryClient();
  return useCallback(
    async (typed: string): Promise<SkuHit | "absent" | "unreachable"> => {
      try {
        const { results } = await client.query(skuAutocompleteQuery(site, typed));
        const wanted = typed.toUpperCase();
        return results.find((hit) => hit.code.toUpperCase() === wanted || hit.barcode === typed) ?? "absent";
      } catch {
        return "unreachable";
      }
    },
    [client, site],
  );
}
