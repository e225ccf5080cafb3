import { useTranslation } from "react-i18next";
import type { Job } from "@/api/types";
import { Menu } from "@/components/Menu";
import { notify } from "@/components/toast";
import { JobProgress, useJobWords } from "./JobProgress";
import styles from "./jobs.module.css";
import { isOpen, usePulse } from "./pulse";
import { TrainingProgress } from "./TrainingProgress";

/** The header's window on long work. Also what keeps all live figures fresh. */
export function JobsMenu() {
  const { t } = useTranslation();
  const { name, counted } = useJobWords();
  const pulse = usePulse((job: Job) =>
    notify({
      tone: job.state === "done" ? "agree" : job.state === "failed" ? "error" : "plain",
      text: `${name(job)} · ${t(`jobs.state.${job.state}`)}`,
      detail: job.error?.detail ?? counted(job),
      action: job.file ? { label: t("jobs.download"), run: () => window.location.assign(job.file ?? "") } : undefined,
      durationMs: job.file ? null : undefined,
    }),
  );
  const jobs = pulse?.jobs ?? [];
  const trainings = pulse?.trainings ?? [];
  if (jobs.length + trainings.length === 0) return null;
  const busy = jobs.filter(isOpen).length + trainings.filter((run) => run.active).length;
  return (
    <Menu
      align="end"
      trigger={(props) => (
        <button {...props} type="button" className={styles.trigger} data-busy={busy > 0 || undefined} data-testid="jobs">
          {busy > 0 ? t("jobs.busy", { count: busy }) : t("jobs.recent")}
        </button>
      )}
    >
      {() => (
        <>
          {trainings.map((run) => (
            <TrainingProgress key={`training-${run.id}`} run={run} />
          ))}
          {jobs.map((job) => (
            <JobProgress key={job.id} job={job} />
          ))}
        </>
      )}
    </Menu>
  );
}
