import { RULES, type Finding } from "@/lib/captions";

/** What can be mended first, and what somebody may well leave as it is (it takes no points) last. */
export function inTurn(found: readonly Finding[]): Finding[] {
  const last = ({ rule, fix }: Finding) => (fix === null ? 2 : 0) + (RULES[rule]?.[0] ? 0 : 1);
  return [...found].sort((a, b) => last(a) - last(b));
}

/** What the key mends. */
export const firstMendable = (found: readonly Finding[]): Finding | undefined => inTurn(found).find(({ fix }) => fix !== null);
