import type { Dispute, User } from "@/api/types";

/** Nobody else has it open. Claims carry display names. */
export const isFree = (dispute: Pick<Dispute, "claimed_by">, me: Pick<User, "display_name" | "username">): boolean =>
  dispute.claimed_by === null || dispute.claimed_by === (me.display_name || me.username);
