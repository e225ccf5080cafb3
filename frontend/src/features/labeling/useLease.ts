import { useEffect, useRef, useState } from "react";
import { idleAfter, leaseStep } from "./lease";
import type { Desk } from "./desk";
import { SIGNS_OF_LIFE } from "./useActiveTime";

const TICK_MS = 1000;
/** not more often, whatever the network answers */
const ASK_AGAIN_MS = 4000;

export type LeaseNotice = { kind: "warn"; seconds: number } | { kind: "over" } | null;

/** Keeps the photo in work while somebody is at work, and announces that it will go back when nobody is. */
export function useLease(desk: Desk, leaseMs: number): { notice: LeaseNotice; stay: () => void } {
  const [notice, setNotice] = useState<LeaseNotice>(null);
  const lastMs = useRef(0);
  const stay = useRef<() => void>(() => undefined);
  useEffect(() => {
    let askedMs = 0;
    lastMs.current = Date.now();
    const look = () => {
      const { current } = desk.snapshot();
      const now = Date.now();
      if (!current) {
        setNotice(null);
        return;
      }
      const remainingMs = desk.leaseEnds(current) - now;
      const step = leaseStep({ remainingMs, leaseMs, idleMs: now - lastMs.current });
      if (step === "extend" && now - askedMs > ASK_AGAIN_MS) {
        askedMs = now;
        void desk.extend().then(look);
      }
      if (step === "warn") setNotice({ kind: "warn", seconds: Math.ceil(remainingMs / 1000) });
      else if (step === "over") setNotice({ kind: "over" });
      else if (step === "rest" || remainingMs > 0) setNotice(null);
    };
    const seen = () => {
      if (document.hidden) return;
      const wasIdle = Date.now() - lastMs.current >= idleAfter(leaseMs);
      lastMs.current = Date.now();
      if (wasIdle) look();
    };
    stay.current = () => {
      lastMs.current = Date.now();
      askedMs = 0;
      look();
    };
    const tick = setInterval(look, TICK_MS);
    SIGNS_OF_LIFE.forEach((sign) => window.addEventListener(sign, seen, { passive: true }));
    return () => {
      clearInterval(tick);
      SIGNS_OF_LIFE.forEach((sign) => window.removeEventListener(sign, seen));
    };
  }, [desk, leaseMs]);
  return { notice, stay: () => stay.current() };
}
