import type { TaskFilter } from "./tasks";

/** Which tasks are ticked: some by number, or all that match the filter. */
export type Selection = { all: true } | { all: false; ids: ReadonlySet<number> };

export const NOTHING: Selection = { all: false, ids: new Set() };

export const isTicked = (selection: Selection, id: number) => selection.all || selection.ids.has(id);

export const sizeOf = (selection: Selection): number => (selection.all ? Infinity : selection.ids.size);

/** Ticks or unticks; unticking one of "all" begins anew from what is in sight. */
export function toggled(selection: Selection, ids: readonly number[], on: boolean, inSight: readonly number[]): Selection {
  const next = new Set(selection.all ? inSight : selection.ids);
  for (const id of ids) {
    if (on) next.add(id);
    else next.delete(id);
  }
  return { all: false, ids: next };
}

/** What a bulk action is asked to touch. */
export function wanted(selection: Selection, { state, search, sku, priority, source, batch }: TaskFilter) {
  return selection.all ? { state, search, sku, priority, source, batch } : { ids: [...selection.ids] };
}
