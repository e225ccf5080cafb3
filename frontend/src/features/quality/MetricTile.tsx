import { useTranslation } from "react-i18next";
import type { Metric } from "@/api/types";
import { Sparkline } from "@/components/chart/Sparkline";
import { integer } from "@/lib/format";
import { show, showInterval } from "./figures";
import styles from "./quality.module.css";

export function MetricTile({ metric, onOpen }: { metric: Metric; onOpen: () => void }) {
  const { t, i18n } = useTranslation();
  const { key, value, unit, threshold, better, count, interval, passes, note, trend } = metric;
  const verdict = value === null ? "none" : passes === null ? "shown" : passes ? "passes" : "fails";
  const tone = verdict === "passes" ? "agree" : verdict === "fails" ? "error" : "dim";
  const range = showInterval(interval, unit);
  return (
    <article className={styles.tile} data-testid={`metric-${key}`} data-verdict={verdict}>
      <h2>
        <button type="button" className={styles.link} onClick={onOpen} title={t("quality.flawed")} data-testid={`metric-${key}-open`}>
          {t(`metric.${key}.name`)}
        </button>
      </h2>
      <div className={styles.value}>
        <b>{show(value, unit)}</b>
        <Sparkline values={trend.map((point) => point.value)} threshold={threshold} label={t("quality.trend", { name: t(`metric.${key}.name`) })} />
      </div>
      <p className={tone} data-testid={`metric-${key}-verdict`}>
        {t(`quality.verdict.${verdict}`)}
        {threshold !== null && (
          <span className="dim">
            {" "}
            {better === "up" ? "≥" : "≤"} {show(threshold, unit)}
          </span>
        )}
      </p>
      <p className="dim">
        {range && <>{t("quality.interval", { range })} · </>}
        {t("quality.count", { count, shown: integer(count, i18n.language) })}
      </p>
      <p className="dim">{note ? t(`quality.note.${note}`, { defaultValue: note }) : t(`metric.${key}.what`)}</p>
    </article>
  );
}
