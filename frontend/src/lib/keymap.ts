/**
 * What keys do on the pages where goods are labeled, and which key a person has put there instead. The table is the one place
 * for it: pages ask for actions, buttons and the help show `keyLabel`.
 */
import { useSyncExternalStore } from "react";
import { useHotkeys, type Hotkeys } from "./hotkeys";

interface Action {
  group: "work" | "caption" | "boxes" | "view";
  /** the first is shown on buttons; a person's own key takes the place of all of them */
  keys: readonly string[];
  /** also while the focus is in a text field */
  inText?: boolean;
  /** a row of keys, or one that people expect to stay: not to be changed */
  fixed?: boolean;
}

const digits = (last: number, before = "") => Array.from({ length: last }, (_, n) => `${before}${n + 1}`);
const arrows = (before = "") => ["up", "down", "left", "right"].map((way) => `${before}arrow${way}`);

const TABLE = {
  submit: { group: "work", keys: ["mod+enter"], inText: true },
  undo: { group: "work", keys: ["mod+z"], inText: true },
  redo: { group: "work", keys: ["mod+shift+z", "mod+y"], inText: true },
  skip: { group: "work", keys: ["alt+s"], inText: true },
  flag: { group: "work", keys: ["alt+m"], inText: true },
  recent: { group: "work", keys: ["p"] },
  lookalikes: { group: "work", keys: ["shift+l"] },
  guide: { group: "work", keys: ["g"] },
  help: { group: "work", keys: ["?"] },
  candidate: { group: "caption", keys: digits(9), fixed: true },
  candidateAnywhere: { group: "caption", keys: digits(9, "alt+"), inText: true, fixed: true },
  condition: { group: "caption", keys: digits(5, "shift+"), fixed: true },
  repeat: { group: "caption", keys: ["f4"], inText: true },
  countBoxes: { group: "caption", keys: ["alt+b"], inText: true },
  mend: { group: "caption", keys: ["f6"], inText: true },
  unknown: { group: "caption", keys: ["alt+u"], inText: true },
  leaveField: { group: "caption", keys: ["escape"], inText: true, fixed: true },
  select: { group: "boxes", keys: ["v"] },
  draw: { group: "boxes", keys: ["r"] },
  newBox: { group: "boxes", keys: ["shift+r"] },
  nextBox: { group: "boxes", keys: ["n"] },
  previousBox: { group: "boxes", keys: ["shift+n"] },
  nudge: { group: "boxes", keys: [...arrows(), ...arrows("shift+")], fixed: true },
  grow: { group: "boxes", keys: [...arrows("mod+"), ...arrows("mod+shift+")], fixed: true },
  duplicate: { group: "boxes", keys: ["mod+d"] },
  lock: { group: "boxes", keys: ["k"] },
  remove: { group: "boxes", keys: ["delete", "backspace"] },
  pan: { group: "view", keys: ["h"] },
  fit: { group: "view", keys: ["f", "0"] },
  zoomIn: { group: "view", keys: ["+", "="] },
  zoomOut: { group: "view", keys: ["-"] },
  turn: { group: "view", keys: ["t"] },
  turnBack: { group: "view", keys: ["shift+t"] },
  loupe: { group: "view", keys: ["l"] },
  adjust: { group: "view", keys: ["i"] },
  words: { group: "view", keys: ["o"] },
  barcodes: { group: "view", keys: ["b"] },
  heat: { group: "view", keys: ["alt+h"], inText: true },
  nextSide: { group: "view", keys: ["]"] },
  previousSide: { group: "view", keys: ["["] },
} as const satisfies Record<string, Action>;

export type ActionId = keyof typeof TABLE;
export const ACTIONS: Readonly<Record<ActionId, Action>> = TABLE;
export const ACTION_IDS = Object.keys(TABLE) as ActionId[];

/** A person's own keys. */
export type OwnKeys = Partial<Record<ActionId, string>>;

const isAction = (id: string): id is ActionId => id in TABLE;

/** What was kept on the account, less what this version does not know. */
export function readOwnKeys(kept: unknown): OwnKeys {
  if (typeof kept !== "object" || kept === null) return {};
  return Object.fromEntries(Object.entries(kept).filter(([id, key]) => isAction(id) && !ACTIONS[id].fixed && typeof key === "string" && key !== ""));
}

export const keysOf = (own: OwnKeys, id: ActionId): readonly string[] => {
  const mine = own[id];
  return mine && !ACTIONS[id].fixed ? [mine] : ACTIONS[id].keys;
};

/** What else the key does, if anything. */
export const conflictOf = (own: OwnKeys, id: ActionId, key: string): ActionId | null => ACTION_IDS.find((other) => other !== id && keysOf(own, other).includes(key)) ?? null;

export type Refusal = "input_method" | "page" | "browser" | "typing";

const INPUT_METHODS = new Set(["mod+space", "shift+space", "space", "enter", "mod+.", "mod+,", "capslock", "process", "convert", "nonconvert"]);
const PAGE = new Set(["tab", "shift+tab", "escape", "shift+enter"]);
const BROWSER = new Set(["mod+w", "mod+t", "mod+n", "mod+shift+w", "mod+shift+t", "mod+shift+n", "mod+q", "mod+r", "mod+l", "mod+tab", "mod+shift+tab", "f5", "f11", "f12", "alt+f4"]);
const TYPES_TEXT = /^(?:shift\+)?(?:.|space|backspace|delete|home|end|arrow(?:up|down|left|right)|page(?:up|down))$/;

/** Why an action cannot have the key, or null. */
export function refusalOf(id: ActionId, key: string): Refusal | null {
  if (INPUT_METHODS.has(key)) return "input_method";
  if (PAGE.has(key)) return "page";
  if (BROWSER.has(key)) return "browser";
  return ACTIONS[id].inText && TYPES_TEXT.test(key) ? "typing" : null;
}

const NAMES: Record<string, string> = { enter: "⏎", arrowup: "↑", arrowdown: "↓", arrowleft: "←", arrowright: "→", delete: "Del", backspace: "⌫", escape: "Esc", space: "Space", pageup: "PgUp", pagedown: "PgDn" };
const isMac = typeof navigator !== "undefined" && /Mac|iP(?:hone|ad)/.test(navigator.userAgent);

/** A chord as it stands on a keyboard: mod+shift+z → Ctrl Shift Z. */
export function chordLabel(key: string, mac = isMac): string {
  if (key === "+") return "+";
  return key
    .split(/\+(?!$)/)
    .map((part) => {
      if (part === "mod") return mac ? "⌘" : "Ctrl";
      if (part === "alt") return mac ? "⌥" : "Alt";
      if (part === "shift") return mac ? "⇧" : "Shift";
      return NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part.charAt(0).toUpperCase() + part.slice(1));
    })
    .join(" ");
}

/** All of an action's keys in words; a row of digits or arrows shortly. */
export function keysLabel(own: OwnKeys, id: ActionId): string {
  const keys = keysOf(own, id);
  if (keys.length > 3) {
    const rows = new Map<string, string[]>();
    for (const key of keys) {
      const at = key.lastIndexOf("+") + 1;
      rows.set(key.slice(0, at), [...(rows.get(key.slice(0, at)) ?? []), key.slice(at)]);
    }
    return [...rows]
      .map(([before, names]) => {
        const [first = "", last = ""] = [names[0], names.at(-1)];
        const row = first.startsWith("arrow") ? names.map((name) => NAMES[name]).join("") : `${first} – ${last}`;
        return before ? `${chordLabel(before.slice(0, -1))} ${row}` : row;
      })
      .join(" / ");
  }
  return keys.map((key) => chordLabel(key)).join(" / ");
}

let current: OwnKeys = {};
const listeners = new Set<() => void>();
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Puts a person's keys into force on all pages. */
export function setOwnKeys(own: OwnKeys): void {
  if (JSON.stringify(own) === JSON.stringify(current)) return;
  current = own;
  listeners.forEach((listener) => listener());
}

const ownKeys = (): OwnKeys => current;
export const useOwnKeys = (): OwnKeys => useSyncExternalStore(subscribe, ownKeys, ownKeys);

/** What a button shows for an action. */
export function useKeyLabel(): (id: ActionId) => string {
  const own = useOwnKeys();
  return (id) => chordLabel(keysOf(own, id)[0] ?? "");
}

type Run = (event: KeyboardEvent, key: string) => void;

/** Page-wide actions by the person's keys; `run` is told which key of a row it was. */
export function useActions(actions: Partial<Record<ActionId, Run>>, enabled = true): void {
  const own = useOwnKeys();
  const hotkeys: Hotkeys = {};
  for (const id of ACTION_IDS) {
    const run = actions[id];
    if (run) for (const key of keysOf(own, id)) hotkeys[key] = { run: (event) => run(event, key), inText: ACTIONS[id].inText };
  }
  useHotkeys(hotkeys, enabled);
}
