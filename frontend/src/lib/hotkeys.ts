import { useEffect, useRef } from "react";

export interface KeyEventLike {
  key: string;
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  isComposing: boolean;
  keyCode: number;
}

/** True while an input method is putting a character together: the key belongs to it. */
export const isComposing = (event: { isComposing: boolean; keyCode: number }) => event.isComposing || event.keyCode === 229;

const TEXT_INPUTS = new Set(["text", "search", "number", "password", "email", "url", "tel", "date", ""]);

export function isTextTarget(target: EventTarget | null): boolean {
  if (typeof HTMLElement === "undefined" || !(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLTextAreaElement || target.isContentEditable) return true;
  return target instanceof HTMLInputElement && TEXT_INPUTS.has(target.type);
}

/**
 * The name of a chord: modifiers in the order mod, alt, shift, then the key. Letters and digits come from the
 * physical key, so that they work under a Chinese or Japanese input method and with Alt on a Mac.
 */
export function chord(event: KeyEventLike): string {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1]?.toLowerCase();
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  const punctuation = event.key === "?" ? "?" : undefined;
  const name = punctuation ?? letter ?? digit ?? (event.key === " " ? "space" : event.key.toLowerCase());
  const shift = event.shiftKey && !punctuation;
  return [event.ctrlKey || event.metaKey ? "mod" : "", event.altKey ? "alt" : "", shift ? "shift" : "", name].filter(Boolean).join("+");
}

export interface Hotkey {
  run: (event: KeyboardEvent) => void;
  /** also while the focus is in a text field (only ever chords with Ctrl or Alt, F-keys and Escape) */
  inText?: boolean;
}

export type Hotkeys = Record<string, Hotkey | ((event: KeyboardEvent) => void)>;

/** Which of the keys a press means, if any. */
export function match(event: KeyEventLike, inText: boolean, keys: Hotkeys): Hotkey | null {
  if (isComposing(event)) return null;
  const found = keys[chord(event)];
  if (!found) return null;
  const hotkey = typeof found === "function" ? { run: found } : found;
  return inText && !hotkey.inText ? null : hotkey;
}

/** Page-wide keys. A press that an element has already used (preventDefault) is left alone. */
export function useHotkeys(keys: Hotkeys, enabled = true): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    if (!enabled) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || document.querySelector("[role=dialog][aria-modal=true]")) return;
      if (event.target instanceof Element && event.target.closest("[role=menu]")) return;
      const hotkey = match(event, isTextTarget(event.target), latest.current);
      if (!hotkey) return;
      event.preventDefault();
      hotkey.run(event);
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [enabled]);
}
