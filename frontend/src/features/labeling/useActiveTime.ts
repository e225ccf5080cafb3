import { useCallback, useEffect, useRef, useState } from "react";
import { activeSeconds, activity, hide, isIdle, startTimer } from "@/lib/activeTime";

export const SIGNS_OF_LIFE = ["pointermove", "pointerdown", "keydown", "wheel"] as const;

/** Counts the seconds really worked; `read` gives them exactly, `shown` ticks for the eye; `idle` when it stands. */
export function useActiveTime(initialSeconds: number) {
  const [initial] = useState(() => startTimer(Date.now(), initialSeconds));
  const timer = useRef(initial);
  const [shown, setShown] = useState(initialSeconds);
  const [idle, setIdle] = useState(false);

  useEffect(() => {
    const seen = () => {
      if (!document.hidden) timer.current = activity(timer.current, Date.now());
    };
    const visibility = () => {
      timer.current = document.hidden ? hide(timer.current, Date.now()) : activity(timer.current, Date.now());
    };
    const tick = setInterval(() => {
      const stands = isIdle(timer.current, Date.now());
      setIdle(stands);
      if (!stands) setShown(activeSeconds(timer.current, Date.now()));
    }, 1000);
    SIGNS_OF_LIFE.forEach((sign) => window.addEventListener(sign, seen, { passive: true }));
    document.addEventListener("visibilitychange", visibility);
    return () => {
      clearInterval(tick);
      SIGNS_OF_LIFE.forEach((sign) => window.removeEventListener(sign, seen));
      document.removeEventListener("visibilitychange", visibility);
    };
  }, []);

  const read = useCallback(() => activeSeconds(timer.current, Date.now()), []);
  return { shown, idle, read };
}
