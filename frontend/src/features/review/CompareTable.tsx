import { useTranslation } from "react-i18next";
import type { DisputeDetail, FieldValue, SchemaField } from "@/api/types";
import { UnknownValue } from "@/components/fields/UnknownButton";
import { isUnknown } from "@/lib/captions";
import { charDiff } from "@/lib/charDiff";
import { probability } from "@/lib/format";
import { currentLanguage } from "@/lib/i18n";
import type { Verdict } from "./useVerdict";
import { boxPairs, cellOf, columnOf, columnsOf, isEmpty, sameValue, unanimous, type Column } from "./verdict";
import styles from "./review.module.css";

interface Props {
  dispute: DisputeDetail;
  verdict: Verdict;
  /** the current row; the one after the fields is that of the boxes */
  row: number;
  onRow: (row: number) => void;
}

export const KEY_OF: Record<Column, string> = { a: "A", b: "B", c: "C", machine: "M", wms: "W" };

/** A value with what is its own marked: against the other answer, else against the first. */
export function Marked({ value, against }: { value: FieldValue; against: FieldValue }) {
  if (isUnknown(value)) return <UnknownValue reason={value.unknown} />;
  if (value === "") return <span className="dim">–</span>;
  if (isUnknown(against) || against === "") return <>{value}</>;
  return (
    <>
      {charDiff(value, against).map((piece, index) => (piece.same ? piece.text : <mark key={index}>{piece.text}</mark>))}
    </>
  );
}

function BoxRow({ dispute, verdict, current, onCurrent }: { dispute: DisputeDetail; verdict: Verdict; current: boolean; onCurrent: () => void }) {
  const { t } = useTranslation();
  const [a, b] = dispute.answers;
  const pairs = boxPairs(a?.boxes ?? [], b?.boxes ?? []);
  const shown = (value: number) => (value === 0 ? "0" : probability(value));
  if (dispute.answers.every((answer) => answer.boxes.length === 0)) return null;
  return (
    <tr data-current={current || undefined} data-open={verdict.boxesMissing || undefined} onClick={onCurrent} data-testid="box-row">
      <th scope="row">
        {t("review.boxes")}
        {a && b && <span className={pairs.some((value) => value < 0.5) ? styles.score : styles.fine}>{shown(Math.min(...pairs))}</span>}
      </th>
      {dispute.answers.map(columnOf).map((column) => {
        const answer = dispute.answers.find((one) => columnOf(one) === column);
        return (
          <td key={column} data-column={column}>
            {answer && (
              <button type="button" tabIndex={-1} aria-pressed={verdict.boxesFrom === column} className={styles.pick} data-testid={`pick-${column}-boxes`} onClick={() => verdict.setBoxesFrom(column)}>
                <span className={styles.swatch} data-column={column} /> {t("label.boxes", { count: answer.boxes.length })}
              </button>
            )}
          </td>
        );
      })}
      <td colSpan={2} className={styles.iou} title={t("review.iouHint")} data-testid="iou">
        {a && b && t("review.iou", { values: pairs.map(shown).join(" · ") })}
      </td>
    </tr>
  );
}

/** Rows are fields, columns who says it; equal cells fade, differing characters are marked, a click or the column's key picks. */
export function CompareTable({ dispute, verdict, row, onRow }: Props) {
  const { t } = useTranslation();
  const { fields, final, record } = verdict;
  const columns = columnsOf(dispute);
  const heading = (column: Column) => t(column === "machine" ? "review.machine" : "review.wms");
  const againstOf = (field: SchemaField, column: Column): FieldValue => cellOf(dispute, field, column === "a" ? "b" : "a", record);
  return (
    <table className={styles.compare}>
      <thead>
        <tr>
          <th>
            <span className="visually-hidden">{t("review.field")}</span>
          </th>
          {columns.map((column) => (
            <th key={column} data-column={column} scope="col">
              {column === "machine" || column === "wms" ? heading(column) : <span className="visually-hidden">{t("review.side", { label: KEY_OF[column] })}</span>} <kbd>{KEY_OF[column]}</kbd>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {fields.map((field, index) => {
          const score = dispute.fields[field.key];
          const equal = unanimous(dispute, field);
          return (
            <tr key={field.key} data-current={index === row || undefined} data-equal={equal || undefined} data-open={isEmpty(final[field.key]) || undefined} onClick={() => onRow(index)}>
              <th scope="row">
                {field.label[currentLanguage()]}
                {score !== undefined && score < 1 && <span className={styles.score}>{score === 0 ? "0" : probability(score)}</span>}
              </th>
              {columns.map((column) => {
                const value = cellOf(dispute, field, column, record);
                const empty = isEmpty(value);
                const picked = !empty && sameValue(final[field.key] ?? "", value);
                return (
                  <td key={column} data-column={column}>
                    <button type="button" tabIndex={-1} disabled={empty} aria-pressed={picked} className={styles.pick} data-testid={`pick-${column}-${field.key}`} onClick={() => verdict.pick(column, field)}>
                      <Marked value={value} against={againstOf(field, column)} />
                    </button>
                  </td>
                );
              })}
            </tr>
          );
        })}
        <BoxRow dispute={dispute} verdict={verdict} current={row === fields.length} onCurrent={() => onRow(fields.length)} />
      </tbody>
    </table>
  );
}
