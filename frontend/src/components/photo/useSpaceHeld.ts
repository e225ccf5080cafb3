import { useEffect, useRef, type RefObject } from "react";
import { isTextTarget } from "@/lib/hotkeys";

/** Whether the space bar is held over the photo: it pans meanwhile, whatever the tool. */
export function useSpaceHeld(onChange: (held: boolean) => void): RefObject<boolean> {
  const held = useRef(false);
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  useEffect(() => {
    const set = (now: boolean) => {
      if (held.current === now) return;
      held.current = now;
      latest.current(now);
    };
    const down = (event: KeyboardEvent) => {
      if (event.code !== "Space" || event.isComposing || isTextTarget(event.target) || event.ctrlKey) return;
      if (event.target instanceof Element && event.target.closest("button, a, [role=radio], [role=menu], [role=dialog]")) return;
      event.preventDefault();
      set(true);
    };
    const up = (event: KeyboardEvent) => event.code === "Space" && set(false);
    const blur = () => set(false);
    window.addEventListener("keydown", down);
    window.addEventListener("keyup", up);
    window.addEventListener("blur", blur);
    return () => {
      window.removeEventListener("keydown", down);
      window.removeEventListener("keyup", up);
      window.removeEventListener("blur", blur);
    };
  }, []);
  return held;
}
