/** Uploading many photos: batches of at most 20 files, each file with its own state. */
import { asProblem } from "@/api/problem";
import type { UploadResult } from "@/api/types";
import { postForm } from "@/api/upload";

export const BATCH_FILES = 20;
export const BATCH_BYTES = 60_000_000;

export interface UploadRow {
  id: number;
  file: File;
  state: "queued" | "sending" | "created" | "existing" | "quarantined" | "failed";
  share: number;
  detail?: string;
}

let lastId = 0;
export const queue = (files: readonly File[]): UploadRow[] => files.map((file) => ({ id: ++lastId, file, state: "queued", share: 0 }));

export function batches(rows: readonly UploadRow[]): UploadRow[][] {
  const all: UploadRow[][] = [];
  let bytes = 0;
  for (const row of rows) {
    const last = all.at(-1);
    if (!last || last.length >= BATCH_FILES || bytes + row.file.size > BATCH_BYTES) {
      all.push([row]);
      bytes = row.file.size;
    } else {
      last.push(row);
      bytes += row.file.size;
    }
  }
  return all;
}

export interface Destination {
  site: number;
  project?: number;
  camType?: string;
}

/** Sends the rows batch by batch and reports every change of a row. A failed batch leaves the others alone. */
export async function send(rows: readonly UploadRow[], to: Destination, report: (ids: readonly number[], change: Partial<UploadRow>) => void): Promise<void> {
  for (const batch of batches(rows)) {
    const ids = batch.map((row) => row.id);
    const form = new FormData();
    form.append("site", String(to.site));
    if (to.project !== undefined) form.append("project", String(to.project));
    if (to.camType) form.append("cam_type", to.camType);
    for (const row of batch) form.append("files", row.file, row.file.name);
    report(ids, { state: "sending", share: 0, detail: undefined });
    try {
      const { results } = await postForm<{ results: UploadResult[] }>("/api/v1/captures", form, (share) => report(ids, { share }));
      batch.forEach((row, index) => {
        const result = results[index];
        if (result) report([row.id], { state: result.status, share: 1, detail: result.quarantine?.detail });
        else report([row.id], { state: "failed", detail: "" });
      });
    } catch (error) {
      const problem = asProblem(error);
      report(ids, { state: "failed", share: 0, detail: problem.code === "network" ? "network" : problem.detail });
    }
  }
}
