import { Suspense, lazy, useState } from "react";
import { useTranslation } from "react-i18next";
import type { RecentAnnotation, SchemaField } from "@/api/types";
import { dateTime, seconds } from "@/lib/format";
import { useRecent } from "./recent";
import styles from "./flow.module.css";

const RecentDrawer = lazy(async () => ({ default: (await import("./RecentDrawer")).RecentDrawer }));

interface RowsProps {
  rows: readonly RecentAnnotation[];
  onOpen: (annotation: number) => void;
}

/** Answers of mine, each to be opened. */
export function RecentRows({ rows, onOpen }: RowsProps) {
  const { t, i18n } = useTranslation();
  return (
    <ul className={styles.recent}>
      {rows.map((one) => (
        <li key={one.annotation}>
          <button type="button" onClick={() => onOpen(one.annotation)} data-testid={`recent-${one.annotation}`}>
            {one.thumb && <img className="thumb" src={one.thumb} alt="" loading="lazy" />}
            <span className={`mono ${styles.recentCaption ?? ""}`}>{one.caption}</span>
            {one.withdrawn_at && <span className="tag">{t(one.returned ? "label.returned" : "label.withdrawn")}</span>}
            {one.flag && (
              <span className="tag dispute" title={one.note}>
                ⚑ {t(`flow.flagged.${one.flag}`)}
              </span>
            )}
            <span className="dim">{seconds(one.active_seconds)}</span>
            <time className="dim">{dateTime(one.created_at, i18n.language)}</time>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** The person's last ten captions. */
export function RecentList({ projectId, fields }: { projectId: number; fields: readonly SchemaField[] }) {
  const { t } = useTranslation();
  const { data } = useRecent(projectId);
  const [opened, setOpened] = useState<number | null>(null);
  if (!data || data.length === 0) return null;
  return (
    <section className="panel">
      <h2 className="panelHead">{t("label.recent")}</h2>
      <RecentRows rows={data} onOpen={setOpened} />
      <Suspense>{opened !== null && <RecentDrawer projectId={projectId} fields={fields} opened={opened} onClose={() => setOpened(null)} />}</Suspense>
    </section>
  );
}
