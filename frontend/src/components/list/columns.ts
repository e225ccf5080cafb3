import type { ReactNode } from "react";

/** One column of a list. `fixed` ones are always there, `off` ones only for who chose them. */
export interface Column<Row> {
  key: string;
  label: string;
  cell: (row: Row) => ReactNode;
  num?: boolean;
  fixed?: boolean;
  off?: boolean;
}

const SEPARATOR = ",";
export const writeColumns = (keys: readonly string[]) => keys.join(SEPARATOR);
export const readColumns = (text: string | undefined) => text?.split(SEPARATOR).filter(Boolean);

/** The columns to show, in the list's own order; `chosen` are keys, unknown ones of which count nothing. */
export function shownColumns<C extends Pick<Column<never>, "key" | "fixed" | "off">>(columns: readonly C[], chosen: readonly string[] | undefined): C[] {
  return columns.filter((column) => column.fixed || (chosen ? chosen.includes(column.key) : !column.off));
}
