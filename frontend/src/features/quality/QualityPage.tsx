import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { LineChart } from "@/components/chart/LineChart";
import { EmptyState, ErrorState, RowsSkeleton } from "@/components/states";
import { dateTime, day, seconds } from "@/lib/format";
import { currentLanguage } from "@/lib/i18n";
import { show, showInterval } from "./figures";
import { useQuality, type Behind } from "./quality";
import { Anchoring } from "./Anchoring";
import { Breakdown, PersonLink } from "./Breakdown";
import { Doubts } from "./Doubts";
import { MetricTile } from "./MetricTile";
import { Overlap } from "./Overlap";
import styles from "./quality.module.css";

const three = (value: number | null) => (value === null ? "–" : value.toFixed(3));

export function QualityPage({ project, mayCheck }: { project: Project; mayCheck: boolean }) {
  const { t, i18n } = useTranslation();
  const query = useQuality(project.id);
  const [behind, setBehind] = useState<Behind>();
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
        <a href={`/api/v1/projects/${String(project.id)}/quality.csv`} download className="noPrint" data-testid="quality-csv">
          CSV
        </a>
        <button type="button" className={`${styles.link ?? ""} noPrint`} onClick={() => window.print()}>
          {t("quality.print")}
        </button>
        <Link to="/p/$projectId/tasks" params={{ projectId: project.id }} search={{ state: "decided" }}>
          {t("quality.decidedTasks", { count: quality.disputes.decided })}
        </Link>
        {mayCheck && (
          <Link to="/p/$projectId/spot-checks" params={{ projectId: project.id }}>
            {t("spotChecks.title")}
          </Link>
        )}
        <Link to="/p/$projectId/review" params={{ projectId: project.id }}>
          {t("quality.openDisputes", { count: quality.disputes.open })}
        </Link>
      </div>
      {quality.alerts.map((alert) => (
        <p key={alert.id} className="error" data-testid={`alert-${alert.kind}`}>
          <PersonLink project={project} id={alert.annotator} name={alert.name} /> · {t(`quality.alert.${alert.kind}`)}
        </p>
      ))}
      <div className={styles.wall}>
        {quality.metrics.map((metric) => (
          <MetricTile key={metric.key} metric={metric} onOpen={() => setBehind({ metric: metric.key, flawed: true })} />
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
                <th className="num">{t("quality.kappa")}</th>
                <th className="num">{t("quality.pairs")}</th>
              </tr>
            </thead>
            <tbody>
              {quality.fields.map((field) => (
                <tr key={field.key}>
                  <td>{field.key === "boxes" ? t("quality.boxes") : nameOf(field.key)}</td>
                  <td>
                    <span className={styles.meter}>
                      <span style={{ width: `${field.agreement ?? 0}%` }} />
                    </span>{" "}
                    {show(field.agreement, "%")} <span className={`dim ${styles.range ?? ""}`}>{showInterval(field.interval?.length === 2 ? field.interval : null, "%")}</span>
                  </td>
                  <td className="num" title={field.alpha === null ? t("quality.tooFewPairs") : undefined}>
                    {three(field.alpha)} <span className={`dim ${styles.range ?? ""}`}>{field.alpha_interval && `${three(field.alpha_interval[0] ?? null)} – ${three(field.alpha_interval[1] ?? null)}`}</span>
                  </td>
                  <td className="num" title={field.kappa === null ? t("quality.tooFewPairs") : undefined}>
                    {three(field.kappa)}
                  </td>
                  <td className="num">{field.count}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        <Breakdown project={project} metrics={quality.metrics} behind={behind} onBehind={setBehind} />
        <Anchoring anchoring={quality.anchoring} />
        {quality.overlap && <Overlap overlap={quality.overlap} />}
        <Doubts project={project} mayCheck={mayCheck} />
        <section className="panel">
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
                    <th className="num">{t("metric.right.name")}</th>
                    <th className="num">{t("metric.gold.name")}</th>
                    <th className="num">{t("quality.meanTime")}</th>
                  </tr>
                </thead>
                <tbody>
                  {quality.annotators.map((annotator) => (
                    <tr key={annotator.id}>
                      <td>
                        <PersonLink project={project} id={annotator.id} name={annotator.name} /> {annotator.low_evidence && <span className="tag">{t("quality.fewAnswers")}</span>}
                      </td>
                      <td className="num">{annotator.annotations}</td>
                      <td className="num">{show(annotator.right.value, "%")}</td>
                      <td className="num">
                        {show(annotator.gold.value, "%")} <span className="dim">{annotator.gold.count > 0 && `/ ${String(annotator.gold.count)}`}</span>
                      </td>
                      <td className={`num ${(annotator.mean_active_seconds ?? 0) > 90 ? "dispute" : ""}`}>{annotator.mean_active_seconds === null ? "–" : seconds(annotator.mean_active_seconds)}</td>
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
