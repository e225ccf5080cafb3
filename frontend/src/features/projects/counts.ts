import type { Counts, Project } from "@/api/types";

const NONE: Counts = { new: 0, ready: 0, labeling: 0, disputed: 0, decided: 0, rejected: 0, total: 0 };

/** How many tasks are in which state; annotators are not told. */
export const countsOf = (project: Project): Counts => project.counts ?? NONE;
