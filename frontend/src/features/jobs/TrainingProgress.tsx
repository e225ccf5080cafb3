import { Progress } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Training } from "@/api/types";
import { integer } from "@/lib/format";
import styles from "./jobs.module.css";

const TONE: Partial<Record<Training["state"], string>> = { promoted: "agree", failed: "error", cancelled: "dispute" };

/** How far a training is, beside the jobs; the models' page has the rest. */
export function TrainingProgress({ run }: { run: Training }) {
  const { t, i18n } = useTranslation();
  const stage = run.stage && i18n.exists(`training.stage.${run.stage}`) ? t(`training.stage.${run.stage}`) : run.stage;
  return (
    <div className={styles.job} data-testid={`training-${run.id}`}>
      <div className={styles.head}>
        <Link to="/s/$siteId/admin" params={{ siteId: run.site }} search={{ tab: "models" }}>
          <b>{t("jobs.training", { id: run.id })}</b>
        </Link>
        <span className={TONE[run.state] ?? "dim"}>{t(run.cancelling ? "training.cancelling" : `training.state.${run.state}`)}</span>
        <span className="spacer" />
        {run.active && run.stage && (
          <span className="dim">
            {stage} {integer(run.done, i18n.language)}
            {run.total !== null && ` / ${integer(run.total, i18n.language)}`}
          </span>
        )}
      </div>
      {run.active && <Progress value={run.total ? (100 * run.done) / run.total : 100} size="xs" radius={0} animated={run.total === null} aria-label={t("jobs.training", { id: run.id })} />}
      {run.error && <span className="dim">{run.error.message}</span>}
    </div>
  );
}
