import type { Dispute } from "@/api/types";

/** Nobody else has it open. */
export const isFree = (dispute: Pick<Dispute, "claimed_by" | "claimed_by_me">): boolean => dispute.claimed_by === null || dispute.claimed_by_me;
