import { useTranslation } from "react-i18next";
import { ErrorState, RowsSkeleton } from "@/components/states";
import { useComparison } from "./models";
import styles from "./training.module.css";

const DIGITS = 4;
const tidy = (value: number | null) => (value === null ? "–" : String(Number(value.toFixed(DIGITS))));

/** The figures of two versions' reports beside each other; those that differ stand out. */
export function Comparison({ one, other }: { one: number; other: number }) {
  const { t } = useTranslation();
  const query = useComparison(one, other);
  if (query.isPending) return <RowsSkeleton />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  return (
    <div className="tableWrap" data-testid="comparison">
      <table className="list">
        <caption className={styles.caption}>{t("training.comparison", { one: query.data.one.name, other: query.data.other.name })}</caption>
        <thead>
          <tr>
            <th>{t("training.figure")}</th>
            <th>{query.data.one.name}</th>
            <th>{query.data.other.name}</th>
            <th>{t("training.change")}</th>
          </tr>
        </thead>
        <tbody>
          {query.data.figures.map((row) => (
            <tr key={row.figure} className={row.change ? undefined : "dim"}>
              <td className="mono">{row.figure}</td>
              <td>{tidy(row.one)}</td>
              <td>{tidy(row.other)}</td>
              <td>
                {row.change !== null && row.change > 0 && "+"}
                {tidy(row.change)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
