import { useTranslation } from "react-i18next";
import type { DisputeDetail, FieldValue, FieldValues, SchemaField, Sku } from "@/api/types";
import { UnknownValue } from "@/components/fields/UnknownButton";
import { isUnknown } from "@/lib/captions";
import { charDiff } from "@/lib/charDiff";
import { probability } from "@/lib/format";
import { currentLanguage } from "@/lib/i18n";
import { cellOf, columnsOf, isEmpty, sameValue, unanimous, type Column } from "./verdict";
import styles from "./review.module.css";

interface Props {
  dispute: DisputeDetail;
  fields: readonly SchemaField[];
  record: Sku | undefined;
  final: FieldValues;
  row: number;
  onRow: (row: number) => void;
  onPick: (column: Column, field: SchemaField) => void;
}

const KEY: Record<Column, string> = { a: "A", b: "B", c: "C", machine: "M", wms: "W" };

function Marked({ value, against }: { value: FieldValue; against: FieldValue }) {
  if (isUnknown(value)) return <UnknownValue reason={value.unknown} />;
  if (value === "") return <span className="dim">–</span>;
  if (isUnknown(against) || against === "") return <>{value}</>;
  return (
    <>
      {charDiff(value, against).map((piece, index) => (piece.same ? piece.text : <mark key={index}>{piece.text}</mark>))}
    </>
  );
}

/** Rows are fields, columns who says it; equal cells fade, differing characters are marked, a click picks. */
export function CompareTable({ dispute, fields, record, final, row, onRow, onPick }: Props) {
  const { t } = useTranslation();
  const columns = columnsOf(dispute);
  const heading = (column: Column) => (column === "machine" ? t("review.machine") : column === "wms" ? t("review.wms") : t("review.annotator", { label: KEY[column] }));
  return (
    <table className={styles.compare}>
      <thead>
        <tr>
          <th />
          {columns.map((column) => (
            <th key={column} data-column={column} scope="col">
              {heading(column)} <kbd>{KEY[column]}</kbd>
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
                {score !== undefined && score < 1 && <span className={styles.score}>{probability(score)}</span>}
              </th>
              {columns.map((column) => {
                const value = cellOf(dispute, field, column, record);
                const against = cellOf(dispute, field, column === "a" ? "b" : "a", record);
                const empty = isEmpty(value);
                const picked = !empty && sameValue(final[field.key] ?? "", value);
                return (
                  <td key={column} data-column={column}>
                    <button type="button" tabIndex={-1} disabled={empty} aria-pressed={picked} className={styles.pick} data-testid={`pick-${column}-${field.key}`} onClick={() => onPick(column, field)}>
                      <Marked value={value} against={against} />
                    </button>
                  </td>
                );
              })}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
