import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Chips } from "@/components/Chips";
import { LineChart } from "@/components/chart/LineChart";
import { ErrorState, RowsSkeleton } from "@/components/states";
import { SHOWN, useCurve, useLog, useResults, useRun, type Difference, type Run, type Shown } from "./training";
import styles from "./training.module.css";

const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
const points = (share: number) => `${share > 0 ? "+" : ""}${(100 * share).toFixed(1)}`;
const COLORS = ["var(--wv-machine)", "var(--wv-agree)", "var(--wv-dispute)"];
const MOST_FIGURES = 3;
/** As a chart writes it at its line's end. */
const decimal = (value: number | null | undefined) => (value == null ? null : Number(value.toFixed(3)));

function Curves({ run }: { run: Run }) {
  const { t } = useTranslation();
  const epochs = useCurve(run).data?.epochs ?? [];
  if (epochs.length === 0) return <p className={styles.hint}>{t("training.noEpochs")}</p>;
  const labels = epochs.map((epoch) => String(epoch.done));
  const keys = [...new Set(epochs.flatMap((epoch) => Object.keys(epoch.val)))].slice(0, MOST_FIGURES);
  return (
    <div className={styles.charts}>
      <LineChart title={t("training.loss")} unit="" labels={labels} series={[{ name: t("training.loss"), color: COLORS[0] ?? "", values: epochs.map((epoch) => decimal(epoch.loss)) }]} height={180} />
      {keys.length > 0 && <LineChart title={t("training.figures")} unit="" labels={labels} series={keys.map((name, index) => ({ name, color: COLORS[index] ?? "", values: epochs.map((epoch) => decimal(epoch.val[name])) }))} height={180} />}
    </div>
  );
}

function Bar({ row }: { row: Difference }) {
  const { t } = useTranslation();
  return (
    <tr className={row.high < 0 ? styles.worse : row.low > 0 ? styles.better : undefined}>
      <td>
        {t(`training.part.${row.part}`, { defaultValue: row.part })} {row.key}
      </td>
      <td>{row.photos}</td>
      <td>{percent(row.champion)}</td>
      <td>
        <span className={styles.bars} aria-hidden="true">
          <i style={{ width: percent(row.champion) }} />
          <i style={{ width: percent(row.challenger) }} />
        </span>
        {percent(row.challenger)}
      </td>
      <td>
        {points(row.difference)} <span className="dim">({points(row.low)} … {points(row.high)})</span>
      </td>
    </tr>
  );
}

function Verdict({ run }: { run: Run }) {
  const { t } = useTranslation();
  const query = useRun(run);
  if (query.isPending) return <RowsSkeleton />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  const gate = query.data.gate;
  if (!gate) return null;
  return (
    <>
      <p>
        <span className={gate.passed ? "tag agree" : "tag dispute"} data-testid="verdict">
          {t(gate.passed ? "training.passed" : "training.notPassed")}
        </span>{" "}
        {t("training.against", { name: run.champion?.name ?? t("training.base") })}
      </p>
      <ul className={styles.reasons}>
        {gate.reasons.map((reason) => (
          <li key={reason.message}>{reason.message}</li>
        ))}
      </ul>
      <div className="tableWrap">
        <table className="list">
          <thead>
            <tr>
              <th>{t("training.partOf")}</th>
              <th>{t("training.photos")}</th>
              <th>{t("training.former")}</th>
              <th>{t("training.newer")}</th>
              <th>{t("training.difference")}</th>
            </tr>
          </thead>
          <tbody>
            {gate.differences.map((row) => (
              <Bar key={`${row.part}/${row.key}`} row={row} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Pictures({ run }: { run: Run }) {
  const { t } = useTranslation();
  const [show, setShow] = useState<Shown>("wrong");
  const query = useResults(run, show);
  if (run.passed === null) return null;
  if (query.isPending) return <RowsSkeleton />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  const { confusions, pictures, photos, wrong, won, lost } = query.data;
  const counts: Record<Shown, number> = { wrong, won, lost };
  return (
    <>
      <Chips label={t("training.pictures")} value={show} onChange={(next) => next && setShow(next)} options={SHOWN.map((value) => ({ value, label: t(`training.show.${value}`, { count: counts[value], of: photos }) }))} />
      <ul className={styles.pictures}>
        {pictures.map((picture) => (
          <li key={picture.image_id}>
            {picture.thumb && <img src={picture.thumb} alt={picture.image_id} loading="lazy" />}
            <span className="mono dim">{picture.image_id}</span>
            {picture.fields
              .filter((field) => !field.right)
              .map((field) => (
                <span key={field.field}>
                  {field.field}: <del>{field.said ?? "–"}</del> {field.truth ?? "–"}{" "}
                  <span className="machine">{field.confidence === null ? "" : percent(field.confidence)}</span>
                </span>
              ))}
          </li>
        ))}
      </ul>
      {confusions.length > 0 && (
        <table className="list">
          <caption className={styles.caption}>{t("training.confusions")}</caption>
          <tbody>
            {confusions.map((one) => (
              <tr key={`${one.truth}/${one.said}`}>
                <td className="mono">{one.truth}</td>
                <td className="mono machine">{one.said}</td>
                <td>{one.count}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function Log({ run }: { run: Run }) {
  const { t } = useTranslation();
  const query = useLog(run);
  return (
    <details>
      <summary>{t("training.log")}</summary>
      <pre className={styles.log}>{query.data?.tail || t("training.noLog")}</pre>
    </details>
  );
}

/** All that is known of one run: its course, the verdict, the pictures behind it, what the trainer wrote. */
export function RunDetailView({ run }: { run: Run }) {
  const { t } = useTranslation();
  const spent = Object.entries(run.timings_s);
  return (
    <div className={styles.detail} data-testid={`run-detail-${run.id}`}>
      {spent.length > 0 && <p className="dim">{spent.map(([stage, seconds]) => `${t(`training.state.${stage}`, { defaultValue: stage })} ${Math.round(seconds)} s`).join(" · ")}</p>}
      <Curves run={run} />
      <Verdict run={run} />
      <Pictures run={run} />
      <Log run={run} />
    </div>
  );
}
