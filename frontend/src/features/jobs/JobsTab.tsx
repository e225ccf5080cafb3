import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import { Chips } from "@/components/Chips";
import { Choose } from "@/components/Choose";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { dateTime } from "@/lib/format";
import { JobProgress } from "./JobProgress";
import { JOB_STATES, useJobs, type JobFilter } from "./jobs";
import styles from "./jobs.module.css";

export const JOB_KINDS = ["import_catalog", "take_in", "export_dataset", "make_snapshot", "bulk_tasks", "follow_overlap", "revalidate_answers", "rewrite_suggestions", "find_doubts", "promote_model", "try_model", "follow_model", "replay_answer"] as const;

interface Props {
  site: number;
  filter: JobFilter;
  onFilter: (filter: JobFilter) => void;
}

/** Imports, exports and other long work, with how far each is. */
export function JobsTab({ site, filter, onFilter }: Props) {
  const { t, i18n } = useTranslation();
  const query = useJobs(site, filter);
  const jobs = flatten(query.data);
  const filtered = filter.kind !== undefined || filter.state !== undefined;
  return (
    <>
      <div className={styles.bar}>
        <Chips label={t("jobs.stateTitle")} value={filter.state} onChange={(state) => onFilter({ ...filter, state })} options={[{ value: undefined, label: t("common.all") }, ...JOB_STATES.map((value) => ({ value, label: t(`jobs.state.${value}`), testId: `jobs-${value}` }))]} />
        <span className="spacer" />
        <Choose label={t("jobs.kindTitle")} none={t("jobs.anyKind")} value={filter.kind} onChange={(kind) => onFilter({ ...filter, kind })} options={JOB_KINDS.map((value) => ({ value, label: t(`jobs.kind.${value}`) }))} testId="jobs-kind" />
      </div>
      {query.isPending && <RowsSkeleton />}
      {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
      {query.isSuccess && jobs.length === 0 && <EmptyState title={filtered ? t("jobs.noMatch") : t("jobs.none")}>{filtered ? t("tasks.emptyFilter") : t("jobs.noneHint")}</EmptyState>}
      {jobs.length > 0 && (
        <ul className={styles.list} data-list>
          {jobs.map((job) => (
            <li key={job.id}>
              <JobProgress job={job} />
              <div className="dim">
                {t("jobs.by", { who: job.created_by ?? t("admin.system"), at: dateTime(job.created_at, i18n.language) })}
              </div>
            </li>
          ))}
        </ul>
      )}
      <More query={query} />
    </>
  );
}
