import { readColumns, shownColumns, type Column } from "@/components/list/columns";
import { useSavePreferences } from "@/features/session/preferences";
import { useMe } from "@/features/session/session";

/** The columns of a list: those of the address (a saved view's), else those that the person chose, else the usual ones. */
export function useColumns<Row>(list: string, columns: readonly Column<Row>[], fromAddress: string | undefined) {
  const me = useMe();
  const save = useSavePreferences();
  const shown = shownColumns(columns, readColumns(fromAddress) ?? me.columns[list]);
  return { all: columns, shown, choose: (keys: string[] | null) => save.mutate({ columns: { [list]: keys } }) };
}
