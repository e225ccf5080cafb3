import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { LineChart } from "@/components/chart/LineChart";
import { EmptyState, ErrorState, RowsSkeleton } from "@/components/states";
import { dateTime, day, seconds } from "@/lib/format";
import { currentLanguage } from "@/lib/i18n";
import { show } from "./figures";
import { useQuality } from "./quality";
import { MetricTile } from "./MetricTile";
import styles from "./quality.module.css";

const three = (value: number | null) => (value === null ? "–" : value.toFixed(3));

export function QualityPage({ project }: { project: Project }) {
  const { t, i18n } = useTranslation();
  const query = useQuality(project.id);
  if (query.isPending) return <RowsSkeleton rows={4} height={130} />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  const quality = query.data;
  const nameOf = (key: string) => project.schema.fields.find((field) => field.key === key)?.label[currentLanguage()] ?? key;
  return (
    <div className="page">
      <div className="pageHead">
        <h1>{t("quality.title")}</h1>
        <span className="dim">{t("quality.computed", { at: dateTime(quality.computed_at, i18n.language) })}</span>
        <span className="spacer" />
        <Link to="/p/$projectId/tasks" params={{ projectId: project.id }} search={{ state: "decided" }}>
          {t("quality.decidedTasks", { count: quality.disputes.decided })}
        </Link>
        <Link to="/p/$projectId/review" params={{ projectId: project.id }}>
          {t("quality.openDisputes", { count: quality.disputes.open })}
        </Link>
      </div>
      <div className={styles.wall}>
        {quality.metrics.map((metric) => (
          <MetricTile key={metric.key} metric={metric} />
        ))}
      </div>
      <div className={styles.below}>
        <section className="panel">
          {quality.throughput.length > 0 ? (
            <LineChart
              title={t("quality.throughput")}
              unit={t("quality.perDay")}
              labels={quality.throughput.map((point) => day(point.day, i18n.language))}
              series={[
                { name: t("quality.annotations"), color: "var(--wv-accent)", values: quality.throughput.map((point) => point.annotations) },
                { name: t("quality.decided"), color: "var(--wv-agree)", values: quality.throughput.map((point) => point.decided) },
              ]}
            />
          ) : (
            <EmptyState title={t("quality.noWork")}>{t("quality.noWorkHint")}</EmptyState>
          )}
        </section>
        <section className="panel">
          <h2 className="panelHead">{t("quality.byField")}</h2>
          <table className="list">
            <thead>
              <tr>
                <th>{t("quality.field")}</th>
                <th>{t("quality.agreement")}</th>
                <th className="num">α</th>
                <th className="num">{t("quality.pairs")}</th>
              </tr>
            </thead>
            <tbody>
              {quality.fields.map((field) => (
                <tr key={field.key}>
                  <td>{nameOf(field.key)}</td>
                  <td>
                    <span className={styles.meter}>
                      <span style={{ width: `${field.agreement ?? 0}%` }} />
                    </span>{" "}
                    {show(field.agreement, "%")}
                  </td>
                  <td className="num">{three(field.alpha)}</td>
                  <td className="num">{field.count}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        <section className={`panel ${styles.wide}`}>
          <h2 className="panelHead">{t("quality.byAnnotator")}</h2>
          {quality.annotators.length === 0 ? (
            <EmptyState title={t("quality.noWork")} />
          ) : (
            <div className="tableWrap">
              <table className="list">
                <thead>
                  <tr>
                    <th>{t("quality.annotator")}</th>
                    <th className="num">{t("quality.annotations")}</th>
                    <th className="num">{t("quality.agreement")}</th>
                    <th className="num">{t("quality.meanTime")}</th>
                    <th className="num">{t("quality.lost")}</th>
                  </tr>
                </thead>
                <tbody>
                  {quality.annotators.map((annotator) => (
                    <tr key={annotator.id}>
                      <td>{annotator.name}</td>
                      <td className="num">{annotator.annotations}</td>
                      <td className={`num ${annotator.agreement !== null && annotator.agreement < project.threshold * 100 ? "dispute" : ""}`}>{show(annotator.agreement, "%")}</td>
                      <td className={`num ${annotator.mean_active_seconds > 90 ? "dispute" : ""}`}>{seconds(annotator.mean_active_seconds)}</td>
                      <td className="num">{annotator.disputes_lost}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </section>
      </div>
    </div>
  );
}
