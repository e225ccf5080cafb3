import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ErrorState, useProblemText } from "@/components/states";
import { useJob } from "@/features/jobs/job";
import { JobProgress } from "@/features/jobs/JobProgress";
import { isOpen } from "@/features/jobs/pulse";
import { probability } from "@/lib/format";
import { useReplay, type Replayed } from "./answers";
import styles from "./answers.module.css";

/** What was said, what is said again with what was known then, and what the live model says now. */
export function Outcome({ replayed }: { replayed: Replayed }) {
  const { t } = useTranslation();
  const columns = [
    { name: t("answers.stored"), said: replayed.stored },
    { name: t("answers.again"), said: replayed.again },
    ...(replayed.against.said ? [{ name: t("answers.now"), said: replayed.against.said }] : []),
  ];
  const fields = [...new Set(columns.flatMap(({ said }) => Object.keys(said.fields)))];
  return (
    <>
      <p>
        <span className={replayed.exact ? "tag agree" : "tag dispute"} data-testid="replay-verdict">
          {t(replayed.exact ? "answers.exact" : "answers.differs")}
        </span>{" "}
        {!replayed.exact && <span className="mono dim">{replayed.differences.join(" · ")}</span>}
      </p>
      <div className="tableWrap">
        <table className="list">
          <thead>
            <tr>
              <th>{t("answers.field")}</th>
              {columns.map(({ name }) => (
                <th key={name}>{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {fields.map((field) => (
              <tr key={field}>
                <td>{t(`answers.fields.${field}`, { defaultValue: field })}</td>
                {columns.map(({ name, said }) => (
                  <td key={name} className="machine">
                    {said.fields[field]?.value ?? "–"} <span className="dim">{probability(said.fields[field]?.confidence)}</span>
                  </td>
                ))}
              </tr>
            ))}
            <tr>
              <td>{t("answers.known")}</td>
              {columns.map(({ name, said }) => (
                <td key={name}>
                  {said.site_number} / {said.learned_number}
                </td>
              ))}
            </tr>
            <tr>
              <td>{t("answers.version")}</td>
              {columns.map(({ name, said }) => (
                <td key={name} className={`mono dim ${styles.version}`}>
                  {said.model_version}
                </td>
              ))}
            </tr>
          </tbody>
        </table>
      </div>
      {replayed.against.error && <p className="dim">{replayed.against.error}</p>}
    </>
  );
}

/** The button that makes an answer again, how far that is, and what came of it. */
export function ReplayView({ site, answer }: { site: number; answer: number }) {
  const { t } = useTranslation();
  const [asked, setAsked] = useState<number | undefined>(undefined);
  const replay = useReplay(site, answer);
  const job = useJob(asked);
  const problemText = useProblemText();
  const busy = replay.isPending || (job.data !== undefined && isOpen(job.data));
  return (
    <div className={styles.replay}>
      <Button size="xs" loading={busy} onClick={() => replay.mutate(undefined, { onSuccess: setAsked })} title={t("answers.replayHint")} data-testid="replay">
        {t("answers.replay")}
      </Button>
      {replay.isError && <span className="error">{problemText(replay.error).detail}</span>}
      {job.isError && <ErrorState error={job.error} retry={() => void job.refetch()} />}
      {job.data && job.data.state !== "done" && <JobProgress job={job.data} />}
      {job.data?.state === "done" && <Outcome replayed={job.data.result as unknown as Replayed} />}
    </div>
  );
}
