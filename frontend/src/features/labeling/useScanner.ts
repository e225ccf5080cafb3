import { useEffect, useRef } from "react";
import { isComposing, isTextTarget } from "@/lib/hotkeys";
import { MAX_GAP_MS, feed, scanned, type Burst } from "@/lib/scanner";

interface Options<T> {
  /** what the page was when the scan began: the scanner has typed into whatever had the focus */
  snapshot: () => T;
  onScan: (code: string, before: T) => void;
}

/** In a text field characters must not be held back; a choice by digit waits a moment, since a scan may begin with one. */
function isHeld(event: KeyboardEvent): boolean {
  const { target } = event;
  if (!(target instanceof HTMLElement) || target instanceof HTMLSelectElement) return false;
  if (target.dataset.digits !== undefined && /^[0-9]$/.test(event.key)) return true;
  return !isTextTarget(target);
}

/**
 * Hears a barcode scanner wherever the focus is. Keys that might begin a scan are held for a blink and then given on as they
 * were, so that a scanned R draws no box; what went into a text field is taken back by `snapshot`.
 */
export function useScanner<T>(options: Options<T>): void {
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  useEffect(() => {
    let burst: Burst | null = null;
    let before: T | null = null;
    let held: KeyboardEvent[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const replayed = new WeakSet<Event>();

    const giveOn = () => {
      clearTimeout(timer);
      const events = held;
      held = [];
      for (const { target, key, code, shiftKey } of events) {
        const again = new KeyboardEvent("keydown", { key, code, shiftKey, bubbles: true, cancelable: true });
        replayed.add(again);
        (target ?? window).dispatchEvent(again);
      }
    };

    const onEnter = (event: KeyboardEvent) => {
      const code = scanned(burst, event.timeStamp);
      burst = null;
      if (code === null || before === null) {
        giveOn();
        return;
      }
      clearTimeout(timer);
      held = [];
      event.preventDefault();
      event.stopImmediatePropagation();
      latest.current.onScan(code, before);
    };

    const onKeyDown = (event: KeyboardEvent) => {
      if (replayed.has(event) || event.key === "Shift" || isComposing(event) || document.querySelector("[role=dialog][aria-modal=true]")) return;
      const chorded = event.ctrlKey || event.metaKey || event.altKey;
      if (event.key === "Enter" && !chorded) {
        onEnter(event);
        return;
      }
      if (chorded || event.key.length !== 1 || event.repeat || (event.key === " " && !burst)) {
        burst = null;
        giveOn();
        return;
      }
      burst = feed(burst, event.key, event.timeStamp);
      if (burst.text.length === 1) {
        giveOn();
        before = latest.current.snapshot();
      }
      if (!isHeld(event)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      held.push(event);
      clearTimeout(timer);
      timer = setTimeout(giveOn, MAX_GAP_MS);
    };

    window.addEventListener("keydown", onKeyDown, true);
    window.addEventListener("pointerdown", giveOn, true);
    return () => {
      giveOn();
      window.removeEventListener("keydown", onKeyDown, true);
      window.removeEventListener("pointerdown", giveOn, true);
    };
  }, []);
}
