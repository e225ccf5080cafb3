import { useCallback, useEffect, useRef, useState } from "react";
import { activeSeconds, activity, hide, isIdle, startTimer } from "@/lib/activeTime";

/** Counts the seconds really worked; `read` gives them exactly, `shown` ticks for the eye. */
export function useActiveTime(initialSeconds: number) {
  const [initial] = useState(() => startTimer(Date.now(), initialSeconds));
  const timer = useRef(initial);
  const [shown, setShown] = useState(initialSeconds);

  useEffect(() => {
    const seen = () => {
      if (!document.hidden) timer.current = activity(timer.current, Date.now());
    };
    const visibility = () => {
      timer.current = document.hidden ? hide(timer.current, Date.now()) : activity(timer.current, Date.now());
    };
    const tick = setInterval(() => {
      if (!isIdle(timer.current, Date.now())) setShown(activeSeconds(timer.current, Date.now()));
    }, 1000);
    const signs = ["pointermove", "pointerdown", "keydown", "wheel"] as const;
    signs.forEach((sign) => window.addEventListener(sign, seen, { passive: true }));
    document.addEventListener("visibilitychange", visibility);
    return () => {
      clearInterval(tick);
      signs.forEach((sign) => window.removeEventListener(sign, seen));
      document.removeEventListener("visibilitychange", visibility);
    };
  }, []);

  const read = useCallback(() => activeSeconds(timer.current, Date.now()), []);
  return { shown, read };
}
