import { useMutation, useQueryClient, type QueryClient } from "@tanstack/react-query";
import type { ImportReport } from "@/api/types";
import { postForm } from "@/api/upload";
import { pulseQuery } from "@/features/jobs/pulse";

interface ImportRequest {
  file: File;
  dryRun: boolean;
  skipBad: boolean;
  /** deactivate what the file does not name */
  mirror: boolean;
}

export function useImportCatalog(site: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ file, dryRun, skipBad, mirror }: ImportRequest) => {
      const form = new FormData();
      form.append("site", String(site));
      form.append("file", file);
      form.append("dry_run", String(dryRun));
      if (skipBad) form.append("skip_bad", "true");
      if (mirror) form.append("mirror", "true");
      return postForm<ImportReport>("/api/v1/catalog/import", form);
    },
    onSuccess: async (report) => {
      if (report.job !== undefined) await client.invalidateQueries({ queryKey: pulseQuery.queryKey });
      else if (!report.dry_run) await renewCatalog(client, site);
    },
  });
}

/** What the catalog's pages show is asked for anew. */
export const renewCatalog = (client: QueryClient, site: number) => Promise.all([client.invalidateQueries({ queryKey: ["skus", site] }), client.invalidateQueries({ queryKey: ["categories", site] })]);
