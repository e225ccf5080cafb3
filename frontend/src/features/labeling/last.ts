import type { Last } from "@/lib/label/repeat";
import { readStored, writeStored } from "@/lib/storage";

const keyOf = (userId: number, projectId: number) => `wv.last.${userId}.${projectId}`;

/** The person's last answer in a project, on this machine, for "as on the last photo". */
export const readLast = (userId: number, projectId: number): Last | null => {
  const kept = readStored(keyOf(userId, projectId)) as Partial<Last> | null;
  return kept?.fields && typeof kept.unit === "string" ? { fields: kept.fields, unit: kept.unit } : null;
};

export const writeLast = (userId: number, projectId: number, last: Last): void => writeStored(keyOf(userId, projectId), last);
