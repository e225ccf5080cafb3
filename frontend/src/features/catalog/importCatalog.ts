import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ImportReport } from "@/api/types";
import { postForm } from "@/api/upload";

interface ImportRequest {
  file: File;
  dryRun: boolean;
  skipBad: boolean;
}

export function useImportCatalog(site: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ file, dryRun, skipBad }: ImportRequest) => {
      const form = new FormData();
      form.append("site", String(site));
      form.append("file", file);
      form.append("dry_run", String(dryRun));
      if (skipBad) form.append("skip_bad", "true");
      return postForm<ImportReport>("/api/v1/catalog/import", form);
    },
    onSuccess: async (report) => {
      if (!report.dry_run) await Promise.all([client.invalidateQueries({ queryKey: ["skus", site] }), client.invalidateQueries({ queryKey: ["categories", site] })]);
    },
  });
}
