import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import type { Metric, Project } from "@/api/types";
import { Choose } from "@/components/Choose";
import { ListTable, Nothing, Thumb } from "@/components/list/ListTable";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { day, integer } from "@/lib/format";
import { show, showInterval } from "./figures";
import { BY, useBehind, useBreakdown, type Behind, type By } from "./quality";
import styles from "./quality.module.css";

/** Where a figure comes from: by person, category, week …, each leading to its tasks. */
export function Breakdown({ project, metrics, behind, onBehind }: { project: Project; metrics: readonly Metric[]; behind: Behind | undefined; onBehind: (behind: Behind | undefined) => void }) {
  const { t, i18n } = useTranslation();
  const [by, setBy] = useState<By>("annotator");
  const [key, setKey] = useState("completeness");
  const query = useBreakdown(project.id, key, by);
  const unit = metrics.find((one) => one.key === key)?.unit ?? "%";
  return (
    <section className={`panel ${styles.wide ?? ""}`}>
      <div className={styles.choices}>
        <h2 className="panelHead">{t("quality.where")}</h2>
        <Choose label={t("quality.metric")} value={key} onChange={(next) => next && setKey(next)} options={metrics.map((one) => ({ value: one.key, label: t(`metric.${one.key}.name`) }))} testId="breakdown-metric" />
        <Choose label={t("quality.by")} value={by} onChange={(next) => next && setBy(next)} options={BY.map((value) => ({ value, label: t(`quality.dimension.${value}`) }))} testId="breakdown-by" />
      </div>
      {query.isPending && <RowsSkeleton />}
      {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
      {query.data?.length === 0 && <EmptyState title={t("quality.noWork")} />}
      {query.data && query.data.length > 0 && (
        <div className="tableWrap">
          <table className="list" data-testid="breakdown">
            <thead>
              <tr>
                <th>{t(`quality.dimension.${by}`)}</th>
                <th className="num">{t("quality.value")}</th>
                <th className="num">{t("quality.interval95")}</th>
                <th className="num">{t("quality.number")}</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {query.data.map((row) => (
                <tr key={row.at}>
                  <td>{by === "annotator" ? <PersonLink project={project} id={Number(row.at)} name={row.label} /> : by === "week" ? day(row.at, i18n.language) : row.label}</td>
                  <td className={`num ${row.passes === false ? "error" : ""}`}>{show(row.value, unit)}</td>
                  <td className="num dim">{showInterval(row.interval, unit) ?? <Nothing />}</td>
                  <td className="num">{integer(row.count, i18n.language)}</td>
                  <td className="num">
                    <button type="button" className={styles.link} onClick={() => onBehind({ metric: key, by, at: row.at, flawed: true })}>
                      {t("quality.flawed")}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {behind && <BehindList project={project} behind={behind} unit={metrics.find((one) => one.key === behind.metric)?.unit ?? "%"} onClose={() => onBehind(undefined)} />}
    </section>
  );
}

export const PersonLink = ({ project, id, name }: { project: Project; id: number; name: string }) => (
  <Link to="/p/$projectId/quality/$userId" params={{ projectId: project.id, userId: id }}>
    {name}
  </Link>
);

/** The very tasks behind a figure. */
function BehindList({ project, behind, unit, onClose }: { project: Project; behind: Behind; unit: Metric["unit"]; onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const query = useBehind(project.id, behind);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.scrollIntoView({ block: "start" }), [behind, query.isPending]);
  const rows = flatten(query.data);
  return (
    <div data-testid="behind" className="noPrint" ref={place}>
      <div className={styles.choices}>
        <h2 className="panelHead">{t("quality.behind", { name: t(`metric.${behind.metric}.name`) })}</h2>
        <button type="button" className={styles.link} onClick={onClose}>
          {t("common.close")}
        </button>
      </div>
      {query.isPending && <RowsSkeleton />}
      {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
      {query.isSuccess && rows.length === 0 && <EmptyState title={t("quality.nothingFlawed")} />}
      {rows.length > 0 && (
        <ListTable
          columns={[
            { key: "photo", label: t("review.photo"), cell: (row) => <Thumb src={row.thumb} /> },
            {
              key: "task",
              label: t("review.task"),
              cell: (row) => (
                <Link to="/p/$projectId/tasks/$taskId" params={{ projectId: project.id, taskId: row.task.id }}>
                  #{row.task.id}
                </Link>
              ),
            },
            { key: "caption", label: t("tasks.caption"), cell: (row) => (row.caption ? <span className="mono">{row.caption}</span> : <Nothing />) },
            { key: "who", label: t("quality.annotator"), cell: (row) => row.who || <Nothing /> },
            { key: "value", label: t("quality.value"), num: true, cell: (row) => show(row.value, unit) },
            { key: "day", label: t("quality.day"), num: true, cell: (row) => <span className="dim">{day(row.day, i18n.language)}</span> },
          ]}
          rows={rows}
          rowKey={(row) => `${String(row.task.id)}-${String(row.annotation)}`}
          testId={(row) => `behind-${String(row.task.id)}`}
        />
      )}
      <More query={query} />
    </div>
  );
}
