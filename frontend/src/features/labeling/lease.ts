/** When a lease is extended, when its end is announced: activity keeps it, idling lets it go. */

export interface LeaseView {
  /** until the lease ends, as the server said last */
  remainingMs: number;
  /** how long a lease is */
  leaseMs: number;
  /** since the last sign of life */
  idleMs: number;
}

export type LeaseStep = "rest" | "extend" | "warn" | "over";

const IDLE_MS = 30_000;
const WARN_MS = 60_000;

/** A person who has done nothing for so long is not working; shorter where leases are. */
export const idleAfter = (leaseMs: number) => Math.min(IDLE_MS, leaseMs / 4);
/** The end is announced so long before. */
export const warnBefore = (leaseMs: number) => Math.min(WARN_MS, leaseMs / 3);

export function leaseStep({ remainingMs, leaseMs, idleMs }: LeaseView): LeaseStep {
  const active = idleMs < idleAfter(leaseMs);
  if (active && remainingMs < leaseMs * 0.6) return "extend";
  if (remainingMs <= 0) return "over";
  return remainingMs <= warnBefore(leaseMs) ? "warn" : "rest";
}
