import type { ReactNode } from "react";
import type { Column } from "./columns";

interface Props<Row> {
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string | number;
  testId: (row: Row) => string;
  /** a narrow column before the others, such as one of ticks */
  lead?: { head: ReactNode; cell: (row: Row) => ReactNode };
}

/** A list as a table: arrows go through its rows, Enter opens one (see useListKeys). */
export function ListTable<Row>({ columns, rows, rowKey, testId, lead }: Props<Row>) {
  return (
    <div className="tableWrap">
      <table className="list">
        <thead>
          <tr>
            {lead && <th style={{ width: 28 }}>{lead.head}</th>}
            {columns.map((column) => (
              <th key={column.key} scope="col" className={column.num ? "num" : undefined}>
                {column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} data-testid={testId(row)}>
              {lead && <td>{lead.cell(row)}</td>}
              {columns.map((column) => (
                <td key={column.key} className={column.num ? "num" : undefined}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Thumb({ src }: { src: string | null | undefined }) {
  return src ? <img className="thumb" src={src} alt="" loading="lazy" /> : <span className="thumb" />;
}

export const Nothing = () => <span className="dim">–</span>;
