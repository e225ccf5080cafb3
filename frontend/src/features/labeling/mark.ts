import type { Assignment, Flag } from "@/api/types";

/** That somebody is to look at this photo again, and at what. */
export interface Mark {
  flag: Flag;
  note: string;
}

export const FLAGS = ["reviewer", "self"] as const satisfies readonly Flag[];
export const NOTE_LENGTH = 500;

export const markOf = (assignment: Assignment): Mark => ({ flag: assignment.draft?.flag ?? "", note: assignment.draft?.note ?? "" });
