/** Undo as data: what was, what is, what was undone. */
export interface History<T> {
  past: readonly T[];
  present: T;
  future: readonly T[];
  /** Steps with the same key in a row (typing in one field) are one step. */
  key: string | null;
}

const MAX_STEPS = 200;

export const begin = <T>(present: T): History<T> => ({ past: [], present, future: [], key: null });

export function record<T>(history: History<T>, next: T, key: string | null = null): History<T> {
  if (next === history.present) return history;
  if (key !== null && key === history.key) return { ...history, present: next, future: [] };
  return { past: [...history.past, history.present].slice(-MAX_STEPS), present: next, future: [], key };
}

/** Ends the current run of equal keys, for instance when a field loses focus. */
export const seal = <T>(history: History<T>): History<T> => (history.key === null ? history : { ...history, key: null });

export function undo<T>(history: History<T>): History<T> {
  const previous = history.past.at(-1);
  if (previous === undefined) return history;
  return { past: history.past.slice(0, -1), present: previous, future: [history.present, ...history.future], key: null };
}

export function redo<T>(history: History<T>): History<T> {
  const [next, ...rest] = history.future;
  if (next === undefined) return history;
  return { past: [...history.past, history.present], present: next, future: rest, key: null };
}
