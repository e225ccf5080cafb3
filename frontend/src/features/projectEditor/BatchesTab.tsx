import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { asProblem } from "@/api/problem";
import type { Batch, Project } from "@/api/types";
import { EmptyState, ErrorState, RowsSkeleton, useProblemText } from "@/components/states";
import { day, integer } from "@/lib/format";
import { useBatchProgress, useChangeBatch, useCreateBatch } from "./batches";
import { dayOf, endOfDay } from "./dueDate";
import styles from "./editor.module.css";

const STATES: Batch["state"][] = ["open", "paused", "closed"];

function NewBatch({ project }: { project: Project }) {
  const { t } = useTranslation();
  const create = useCreateBatch(project.id);
  const problemText = useProblemText();
  const [name, setName] = useState("");
  const [due, setDue] = useState("");
  const [urgent, setUrgent] = useState(false);
  const errors = create.isError ? asProblem(create.error).errors : [];
  return (
    <form
      className={styles.bar}
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate({ name: name.trim(), due_at: endOfDay(due), priority: urgent ? "urgent" : "normal" }, { onSuccess: () => setName("") });
      }}
    >
      <TextInput size="xs" label={t("batches.name")} value={name} maxLength={128} error={errors.find((error) => error.field === "name")?.message} onChange={(event) => setName(event.currentTarget.value)} data-testid="batch-name" />
      <TextInput size="xs" type="date" label={t("batches.due")} value={due} onChange={(event) => setDue(event.currentTarget.value)} data-testid="batch-due" />
      <label className={styles.check}>
        <input type="checkbox" checked={urgent} onChange={(event) => setUrgent(event.currentTarget.checked)} /> {t("task.urgent")}
      </label>
      <Button type="submit" size="xs" disabled={!name.trim()} loading={create.isPending} data-testid="batch-create">
        {t("batches.make")}
      </Button>
      {create.isError && errors.length === 0 && <span className="error">{problemText(create.error).detail}</span>}
    </form>
  );
}

function Row({ batch, project }: { batch: Batch; project: Project }) {
  const { t, i18n } = useTranslation();
  const change = useChangeBatch(project.id);
  const problemText = useProblemText();
  const { total } = batch.counts;
  const share = total ? batch.done / total : 0;
  const number = (value: number) => integer(value, i18n.language);
  return (
    <tr data-testid={`batch-${batch.name}`}>
      <td>
        {batch.name} {batch.priority === "urgent" && <span className="tag error">{t("task.urgent")}</span>}
        {change.isError && <div className="error">{problemText(change.error).detail}</div>}
      </td>
      <td>
        <input type="date" className={styles.date} aria-label={t("batches.due")} value={dayOf(batch.due_at)} onChange={(event) => change.mutate({ batch, due_at: endOfDay(event.currentTarget.value) })} />
      </td>
      <td>
        <span className={styles.progress} role="img" aria-label={t("batches.progressOf", { done: batch.done, total })}>
          <span style={{ width: `${share * 100}%` }} />
        </span>{" "}
        {number(batch.done)} / {number(total)}
      </td>
      <td className="num">{batch.per_day === null ? <span className="dim">–</span> : t("batches.perDay", { value: batch.per_day })}</td>
      <td>
        {total > 0 && batch.done === total ? (
          <span className="tag agree">{t("batches.complete")}</span>
        ) : (
          <>
            {batch.done_by ? day(batch.done_by, i18n.language) : <span className="dim">{total ? t("batches.noPace") : t("batches.noTasks")}</span>} {batch.late && <span className="tag dispute">{t("batches.late")}</span>}
          </>
        )}
      </td>
      <td>
        <select className={styles.select} aria-label={t("batches.state")} value={batch.state} data-testid={`batch-state-${batch.name}`} onChange={(event) => change.mutate({ batch, state: event.currentTarget.value as Batch["state"] })}>
          {STATES.map((state) => (
            <option key={state} value={state}>
              {t(`batches.states.${state}`)}
            </option>
          ))}
        </select>
      </td>
    </tr>
  );
}

export function BatchesTab({ project }: { project: Project }) {
  const { t } = useTranslation();
  const query = useBatchProgress(project.id);
  return (
    <div className="panel">
      <NewBatch project={project} />
      {query.isPending && <RowsSkeleton rows={3} />}
      {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
      {query.data?.length === 0 && <EmptyState title={t("batches.none")}>{t("batches.noneHint")}</EmptyState>}
      {query.data && query.data.length > 0 && (
        <div className="tableWrap">
          <table className="list">
            <thead>
              <tr>
                <th>{t("batches.name")}</th>
                <th>{t("batches.due")}</th>
                <th>{t("batches.progress")}</th>
                <th className="num">{t("batches.pace")}</th>
                <th>{t("batches.doneBy")}</th>
                <th>{t("batches.state")}</th>
              </tr>
            </thead>
            <tbody>
              {query.data.map((batch) => (
                <Row key={batch.id} batch={batch} project={project} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
