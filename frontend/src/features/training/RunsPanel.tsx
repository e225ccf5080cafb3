import { Button, NumberInput, Progress } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import { Disclosure } from "@/components/Disclosure";
import { Choose } from "@/components/Choose";
import { EmptyState, ErrorState, More, RowsSkeleton, useProblemText } from "@/components/states";
import { useProjects } from "@/features/projects/projects";
import { dateTime } from "@/lib/format";
import { RunDetailView } from "./RunDetailView";
import { useCancelRun, useRetryRun, useRuns, useStartRun, type Run } from "./training";
import styles from "./training.module.css";

const METHODS = ["lora", "joint"] as const;
const TONE: Partial<Record<Run["state"], string>> = { promoted: "tag agree", failed: "tag dispute", cancelled: "tag", kept: "tag" };
const DEFAULT_EPOCHS = 12;

function StartRun({ site, busy }: { site: number; busy: boolean }) {
  const { t } = useTranslation();
  const start = useStartRun(site);
  const problemText = useProblemText();
  const projects = (useProjects().data ?? []).filter((one) => one.site.id === site);
  const [project, setProject] = useState<number | null>(null);
  const [method, setMethod] = useState<Run["method"]>("lora");
  const [epochs, setEpochs] = useState<number | string>(DEFAULT_EPOCHS);
  const chosen = project ?? projects[0]?.id;
  return (
    <form
      className={styles.bar}
      onSubmit={(event) => {
        event.preventDefault();
        if (chosen !== undefined) start.mutate({ project: chosen, method, arguments: { epochs: Number(epochs) || DEFAULT_EPOCHS } });
      }}
    >
      <Choose label={t("training.project")} value={chosen === undefined ? undefined : String(chosen)} onChange={(value) => value && setProject(Number(value))} options={projects.map((one) => ({ value: String(one.id), label: one.name }))} testId="training-project" />
      <Choose label={t("training.method")} value={method} onChange={(value) => value && setMethod(value)} options={METHODS.map((value) => ({ value, label: t(`training.methods.${value}`) }))} testId="training-method" />
      <NumberInput size="xs" w={100} label={t("training.epochs")} min={1} max={200} allowDecimal={false} value={epochs} onChange={setEpochs} data-testid="training-epochs" />
      <Button type="submit" size="xs" loading={start.isPending} disabled={busy || chosen === undefined} title={busy ? t("training.busy") : undefined} data-testid="training-start">
        {t("training.start")}
      </Button>
      {start.isError && <span className="error">{problemText(start.error).detail}</span>}
    </form>
  );
}

function State({ run }: { run: Run }) {
  const { t, i18n } = useTranslation();
  const stage = run.stage && i18n.exists(`training.stage.${run.stage}`) ? t(`training.stage.${run.stage}`) : run.stage;
  if (!run.active) return <span className={TONE[run.state] ?? "tag"}>{t(`training.state.${run.state}`)}</span>;
  return (
    <div>
      <span>{t(run.cancelling ? "training.cancelling" : `training.state.${run.state}`)}</span> <span className="dim">{stage}</span>{" "}
      <span className="dim">
        {run.done}
        {run.total !== null && ` / ${run.total}`}
      </span>
      <Progress w={160} size="xs" radius={0} value={run.total ? (100 * run.done) / run.total : 100} animated={run.total === null} aria-label={t(`training.state.${run.state}`)} />
    </div>
  );
}

function Row({ run, open, onOpen }: { run: Run; open: boolean; onOpen: () => void }) {
  const { t, i18n } = useTranslation();
  const cancel = useCancelRun(run);
  const retry = useRetryRun(run);
  const problemText = useProblemText();
  const problem = cancel.error ?? retry.error;
  const again = run.state === "failed" || run.state === "cancelled";
  return (
    <>
      <tr data-testid={`run-${run.id}`}>
        <td>
          <Disclosure open={open} onToggle={onOpen} testId={`run-open-${run.id}`}>
            {run.id}
          </Disclosure>
        </td>
        <td>
          <State run={run} />
          {run.error && <div className="error">{run.error.message.slice(0, 300)}</div>}
        </td>
        <td>
          {t(`training.trigger.${run.trigger}`)} <span className="dim">{run.requested_by}</span>
        </td>
        <td>{t(`training.methods.${run.method}`)}</td>
        <td>{run.version?.name ?? "–"}</td>
        <td className="dim">{dateTime(run.created_at, i18n.language)}</td>
        <td>
          {run.active && !run.cancelling && (
            <Button size="compact-xs" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()} data-testid={`run-cancel-${run.id}`}>
              {t("training.cancel")}
            </Button>
          )}
          {again && (
            <Button size="compact-xs" variant="default" loading={retry.isPending} onClick={() => retry.mutate()} data-testid={`run-retry-${run.id}`}>
              {t("training.retry")}
            </Button>
          )}
          {problem && <div className="error">{problemText(problem).detail}</div>}
        </td>
      </tr>
      {open && (
        <tr>
          <td colSpan={7}>
            <RunDetailView run={run} />
          </td>
        </tr>
      )}
    </>
  );
}

/** Runs as they go, the newest first, each with all that is known of it. */
export function RunsPanel({ site }: { site: number }) {
  const { t } = useTranslation();
  const query = useRuns(site);
  const [open, setOpen] = useState<number | null>(null);
  const runs = flatten(query.data);
  if (query.isPending) return <RowsSkeleton />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  return (
    <>
      <StartRun site={site} busy={runs.some((run) => run.active)} />
      {runs.length === 0 && <EmptyState title={t("training.noRuns")} />}
      {runs.length > 0 && (
        <div className="tableWrap">
          <table className="list">
            <thead>
              <tr>
                <th>{t("training.run")}</th>
                <th>{t("training.how")}</th>
                <th>{t("training.why")}</th>
                <th>{t("training.method")}</th>
                <th>{t("training.version")}</th>
                <th>{t("training.asked")}</th>
                <th>{t("training.actions")}</th>
              </tr>
            </thead>
            <tbody>
              {runs.map((run) => (
                <Row key={run.id} run={run} open={open === run.id} onOpen={() => setOpen(open === run.id ? null : run.id)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More query={query} />
    </>
  );
}
