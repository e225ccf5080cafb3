import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import type { FieldValue, Project, TrivialDispute } from "@/api/types";
import { Chips } from "@/components/Chips";
import { UnknownValue } from "@/components/fields/UnknownButton";
import { EmptyState, ErrorState, More, RowsSkeleton, useProblemText } from "@/components/states";
import { notify } from "@/components/toast";
import { isUnknown } from "@/lib/captions";
import { useHotkeys } from "@/lib/hotkeys";
import { currentLanguage } from "@/lib/i18n";
import { Marked } from "./CompareTable";
import { TRIVIAL_KINDS, useSettle, useTrivial, type TrivialKind } from "./trivial";
import styles from "./review.module.css";

/** So many are settled in one request. */
const AT_ONCE = 50;

interface Props {
  project: Project;
  kind: TrivialKind | undefined;
  onKind: (kind: TrivialKind | undefined) => void;
}

const Value = ({ value }: { value: FieldValue | undefined }) => (isUnknown(value) ? <UnknownValue reason={value.unknown} /> : value ? <>{value}</> : <span className="dim">–</span>);

function Card({ project, row, on, onToggle }: { project: Project; row: TrivialDispute; on: boolean; onToggle: () => void }) {
  const { t } = useTranslation();
  const nameOf = (key: string) => project.schema.fields.find((field) => field.key === key)?.label[currentLanguage()] ?? key;
  const taken = row.claimed_by !== null;
  return (
    <li className={styles.card} data-off={!on || undefined} data-testid={`trivial-${row.task.id}`}>
      <input type="checkbox" checked={on} disabled={taken} aria-label={t("review.settleOne", { id: row.task.id })} data-testid={`settle-${row.task.id}`} onChange={onToggle} />
      {row.thumb ? <img src={row.thumb} alt="" loading="lazy" /> : <span className={styles.thumb} />}
      <div>
        <div className={styles.cardHead}>
          <Link to="/p/$projectId/review/$taskId" params={{ projectId: project.id, taskId: row.task.id }} preload={false}>
            #{row.task.id}
          </Link>
          <span className="tag">{t(`review.trivialKind.${row.trivial}`)}</span>
          {taken && <span className="tag dispute">{t("review.claimedBy", { who: row.claimed_by })}</span>}
        </div>
        <table className={styles.said}>
          <tbody>
            {row.differing.map((key) => (
              <tr key={key}>
                <th scope="row">{nameOf(key)}</th>
                {row.answers.map((answer, n) => (
                  <td key={answer.label}>
                    <span className="dim">{answer.label}</span> <Marked value={answer.fields[key] ?? ""} against={row.answers[n === 0 ? 1 : 0]?.fields[key] ?? ""} />
                  </td>
                ))}
                <td className={styles.will}>
                  → <Value value={row.fields[key]} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        <div className="mono dim">{row.caption}</div>
      </div>
    </li>
  );
}

/** Disputes that a look settles: all are ticked, one unticks the odd ones and decides the rest at once. */
export function TrivialPage({ project, kind, onKind }: Props) {
  const { t } = useTranslation();
  const problemText = useProblemText();
  const query = useTrivial(project.id, kind);
  const settle = useSettle(project.id);
  const [off, setOff] = useState<ReadonlySet<number>>(new Set());
  const rows = flatten(query.data);
  const chosen = rows.filter((row) => row.claimed_by === null && !off.has(row.task.id)).slice(0, AT_ONCE);
  const toggle = (id: number) =>
    setOff((before) => {
      const next = new Set(before);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const run = () => {
    if (chosen.length === 0 || settle.isPending) return;
    settle.mutate(
      chosen.map(({ task, caption }) => ({ task: task.id, caption })),
      {
        onSuccess: ({ results }) => {
          const count = (outcome: string) => results.filter((one) => one.outcome === outcome).length;
          const left = [count("taken") > 0 && t("review.settleTaken", { count: count("taken") }), count("changed") > 0 && t("review.settleChanged", { count: count("changed") })].filter(Boolean).join(" · ");
          notify({ tone: left ? "dispute" : "agree", text: t("review.settled", { count: count("decided") }), detail: left || undefined });
        },
      },
    );
  };
  useHotkeys({ "mod+enter": run });
  return (
    <div className="page">
      <div className="pageHead">
        <h1>{t("review.trivialTitle")}</h1>
        <span className="dim">{t("review.trivialHint")}</span>
        <span className="spacer" />
        <Link to="/p/$projectId/review" params={{ projectId: project.id }}>
          ← {t("review.back")}
        </Link>
      </div>
      <div className="pageHead">
        <Chips label={t("review.trivialTitle")} value={kind} onChange={onKind} options={[{ value: undefined, label: t("common.all") }, ...TRIVIAL_KINDS.map((value) => ({ value, label: t(`review.trivialKind.${value}`), testId: `trivial-kind-${value}` }))]} />
      </div>
      <div className="panel">
        {query.isPending && <RowsSkeleton height={100} />}
        {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
        {query.isSuccess && rows.length === 0 && (
          <EmptyState title={t("review.trivialEmpty")}>
            <Link to="/p/$projectId/review" params={{ projectId: project.id }}>
              {t("review.trivialEmptyNext")}
            </Link>
          </EmptyState>
        )}
        {rows.length > 0 && (
          <>
            <ul className={styles.cards} data-list>
              {rows.map((row) => (
                <Card key={row.task.id} project={project} row={row} on={row.claimed_by === null && !off.has(row.task.id)} onToggle={() => toggle(row.task.id)} />
              ))}
            </ul>
            <More query={query} />
            <div className={styles.settleBar}>
              <span className="dim">{t("review.settleHint")}</span>
              {settle.isError && <span className="error">{problemText(settle.error).detail}</span>}
              <span className="spacer" />
              <Button onClick={run} disabled={chosen.length === 0} loading={settle.isPending} data-testid="settle" rightSection={<kbd className={styles.onAccent}>Ctrl ⏎</kbd>}>
                {t("review.settle", { count: chosen.length })}
              </Button>
            </div>
          </>
        )}
      </div>
    </div>
  );
}
