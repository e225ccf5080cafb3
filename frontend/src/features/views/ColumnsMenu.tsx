import { useTranslation } from "react-i18next";
import { Menu, MenuItem } from "@/components/Menu";
import type { Column } from "@/components/list/columns";
import styles from "./views.module.css";

interface Props<Row> {
  columns: { all: readonly Column<Row>[]; shown: readonly Column<Row>[]; choose: (keys: string[] | null) => void };
  /** the address may name columns of its own; from now on the person's count */
  onChosen?: () => void;
}

/** Which columns a list shows; kept for the person. */
export function ColumnsMenu<Row>({ columns, onChosen }: Props<Row>) {
  const { t } = useTranslation();
  const shown = columns.shown.filter((column) => !column.fixed).map((column) => column.key);
  const choose = (keys: string[] | null) => {
    columns.choose(keys);
    onChosen?.();
  };
  return (
    <Menu
      align="end"
      trigger={(props) => (
        <button {...props} type="button" className={styles.trigger} data-testid="columns">
          {t("columns.title")} ▾
        </button>
      )}
    >
      {(close) => (
        <>
          {columns.all
            .filter((column) => !column.fixed)
            .map((column) => {
              const on = shown.includes(column.key);
              return (
                <button
                  key={column.key}
                  type="button"
                  role="menuitemcheckbox"
                  aria-checked={on}
                  className={styles.column}
                  data-testid={`column-${column.key}`}
                  onClick={() => choose(on ? shown.filter((key) => key !== column.key) : [...shown, column.key])}
                >
                  <span aria-hidden="true">{on ? "✓" : ""}</span>
                  {column.label}
                </button>
              );
            })}
          <MenuItem
            testId="columns-usual"
            onChoose={() => {
              close();
              choose(null);
            }}
          >
            {t("columns.usual")}
          </MenuItem>
        </>
      )}
    </Menu>
  );
}
