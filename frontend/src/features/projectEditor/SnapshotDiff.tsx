import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Snapshot } from "@/api/types";
import { Chips } from "@/components/Chips";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { integer } from "@/lib/format";
import { CHANGES, useDifference, type ChangeKind } from "./snapshots";
import styles from "./editor.module.css";

const SHOWN_SKUS = 20;

/** What was added, removed or changed from one snapshot to another. */
export function SnapshotDiff({ before, after }: { before: Snapshot; after: Snapshot }) {
  const { t, i18n } = useTranslation();
  const [kind, setKind] = useState<ChangeKind | undefined>(undefined);
  const query = useDifference(before.id, after.id, kind);
  const number = (value: number) => integer(value, i18n.language);
  const first = query.data?.pages[0];
  const rows = query.data?.pages.flatMap((page) => page.results) ?? [];
  return (
    <section className="panel" aria-label={t("snapshots.diffOf", { before: before.id, after: after.id })} data-testid="snapshot-diff">
      <div className={styles.bar}>
        <b>{t("snapshots.diffOf", { before: before.id, after: after.id })}</b>
        {first && (
          <Chips
            label={t("snapshots.kindTitle")}
            value={kind}
            onChange={setKind}
            options={[{ value: undefined, label: t("common.all") }, ...CHANGES.map((value) => ({ value, label: `${t(`snapshots.kinds.${value}`)} ${number(first.counts[value] ?? 0)}`, testId: `diff-${value}` }))]}
          />
        )}
        {first && <span className="dim">{t("snapshots.same", { count: first.counts.same ?? 0 })}</span>}
      </div>
      {query.isPending && <RowsSkeleton rows={3} />}
      {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
      {first && first.skus.length > 0 && (
        <p className={styles.bar}>
          {first.skus.slice(0, SHOWN_SKUS).map((row) => (
            <span key={row.sku} className="tag">
              {row.sku} {number(row.before)} → {number(row.after)}
            </span>
          ))}
        </p>
      )}
      {query.isSuccess && rows.length === 0 && <EmptyState title={t("snapshots.noChanges")} />}
      {rows.length > 0 && (
        <div className="tableWrap">
          <table className="list">
            <thead>
              <tr>
                <th>{t("snapshots.picture")}</th>
                <th>{t("snapshots.kindTitle")}</th>
                <th>{t("snapshots.before")}</th>
                <th>{t("snapshots.after")}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.image_id}>
                  <td className="mono">{row.image_id}</td>
                  <td>{t(`snapshots.kinds.${row.kind}`)}</td>
                  {[row.before, row.after].map((side, index) => (
                    <td key={index}>
                      {side ? (
                        <>
                          <span className="dim">{t(`snapshots.splits.${side.split}`)}</span> {side.caption}
                        </>
                      ) : (
                        <span className="dim">–</span>
                      )}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More query={query} />
    </section>
  );
}
