import { Button, Progress } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Job } from "@/api/types";
import { integer } from "@/lib/format";
import { useCancelJob } from "./job";
import { isOpen } from "./pulse";
import styles from "./jobs.module.css";

const TONE: Partial<Record<Job["state"], string>> = { done: "agree", failed: "error", cancelled: "dispute" };

export function useJobWords() {
  const { t, i18n } = useTranslation();
  const name = (job: Job) => (i18n.exists(`jobs.kind.${job.kind}`) ? t(`jobs.kind.${job.kind}`) : job.kind);
  const counted = (job: Job) => {
    if (job.kind === "import_catalog" && job.state === "done") return t("catalog.importCounts", job.result);
    return Object.entries(job.counts)
      .filter(([, n]) => n > 0)
      .map(([key, n]) => `${i18n.exists(`jobs.count.${key}`) ? t(`jobs.count.${key}`) : key} ${integer(n, i18n.language)}`)
      .join(" · ");
  };
  return { name, counted };
}

/** How far a job is, what it did, and a way to stop it or to fetch its file. */
export function JobProgress({ job }: { job: Job }) {
  const { t, i18n } = useTranslation();
  const { name, counted } = useJobWords();
  const cancel = useCancelJob();
  const open = isOpen(job);
  const share = job.total ? (100 * job.done) / job.total : open ? 100 : 0;
  return (
    <div className={styles.job} data-testid={`job-${job.id}`}>
      <div className={styles.head}>
        <b>{name(job)}</b>
        <span className={TONE[job.state] ?? "dim"}>{t(job.cancelling ? "jobs.cancelling" : `jobs.state.${job.state}`)}</span>
        <span className="spacer" />
        <span className="dim">
          {integer(job.done, i18n.language)}
          {job.total !== null && ` / ${integer(job.total, i18n.language)}`}
        </span>
      </div>
      {open && <Progress value={share} size="xs" radius={0} animated={job.total === null} aria-label={name(job)} />}
      <div className={styles.head}>
        <span className="dim">{job.error?.detail ?? counted(job)}</span>
        <span className="spacer" />
        {open && !job.cancelling && (
          <Button size="compact-xs" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate(job.id)} data-testid={`job-cancel-${job.id}`}>
            {t("jobs.cancel")}
          </Button>
        )}
        {job.file && (
          <a href={job.file} download data-testid={`job-file-${job.id}`}>
            {t("jobs.download")}
          </a>
        )}
      </div>
    </div>
  );
}
