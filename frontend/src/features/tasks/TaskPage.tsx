import { Button, Textarea } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { HistoryList } from "@/components/HistoryList";
import { PhotoStage } from "@/components/photo/PhotoStage";
import type { StageBox } from "@/components/photo/types";
import { ErrorState, RowsSkeleton, useProblemText } from "@/components/states";
import { StateTag } from "@/components/stateTag";
import { UnknownValue } from "@/components/fields/UnknownButton";
import { isUnknown } from "@/lib/captions";
import { dateTime, seconds } from "@/lib/format";
import { currentLanguage } from "@/lib/i18n";
import { GoldButton } from "./GoldButton";
import { useReopen } from "./reopen";
import { useTask } from "./task";
import styles from "./tasks.module.css";

export function TaskPage({ project, taskId, canReopen }: { project: Project; taskId: number; canReopen: boolean }) {
  const { t, i18n } = useTranslation();
  const query = useTask(taskId);
  const reopen = useReopen(taskId);
  const problemText = useProblemText();
  const [side, setSide] = useState(0);
  const [note, setNote] = useState("");
  if (query.isPending) return <RowsSkeleton />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  const { decision, captures, history, state, answers, schemas, carried_over: carriedOver, gold } = query.data;
  // a decision reads by the labels it was made under
  const decided = (decision && schemas[decision.schema_version]) ?? project.schema;
  const capture = captures[Math.min(side, captures.length - 1)];
  const boxes: StageBox[] = (decision?.boxes ?? []).filter((box) => box.capture === capture?.id).map((box, index) => ({ ...box, id: `d${index}`, hue: "final", locked: true }));
  return (
    <div className={styles.task}>
      <section className={styles.photo}>
        {captures.length > 1 && (
          <div className={styles.sides}>
            {captures.map((one, index) => (
              <button key={one.id} type="button" aria-pressed={index === side} onClick={() => setSide(index)}>
                {one.cam_type ? t(`cam.${one.cam_type}`) : index + 1}
              </button>
            ))}
          </div>
        )}
        {capture && <PhotoStage key={capture.id} capture={capture} boxes={boxes} />}
      </section>
      <section className={styles.detail}>
        <div className="pageHead">
          <h1>#{taskId}</h1>
          <StateTag state={state} />
          <span className="spacer" />
          <Link to="/p/$projectId/tasks" params={{ projectId: project.id }}>
            ← {t("tasks.title")}
          </Link>
        </div>
        {decision ? (
          <>
            <p data-testid="decision-caption">{decision.caption}</p>
            <table className="list">
              <tbody>
                {decided.fields.map((field) => {
                  const value = decision.fields[field.key];
                  return (
                    <tr key={field.key}>
                      <th scope="row">{field.label[currentLanguage()]}</th>
                      <td>{isUnknown(value) ? <UnknownValue reason={value.unknown} /> : value}</td>
                      <td>{decision.ties.includes(field.key) && <span className="tag dispute">{t("tasks.tie")}</span>}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
            <p className="dim">
              {decision.schema_version !== project.schema_version && <>{t("tasks.schemaVersion", { version: decision.schema_version })} · </>}
              {t(`source.${decision.source}`)} · {decision.decided_by ?? "–"} · {dateTime(decision.created_at, i18n.language)}
            </p>
            {decision.note && <p>{decision.note}</p>}
          </>
        ) : (
          <p className="dim">{t("tasks.undecided")}</p>
        )}
        {carriedOver.length > 0 && (
          <>
            <h2 className="panelHead">{t("tasks.carriedOver", { count: carriedOver.length })}</h2>
            <div className={styles.carried} data-testid="carried-over">
              {carriedOver.map((capture) => (
                <img key={capture.id} src={capture.images.thumb} alt={capture.image_id} title={capture.image_id} loading="lazy" />
              ))}
            </div>
          </>
        )}
        {answers.length > 0 && (
          <>
            <h2 className="panelHead">{t("tasks.answers")}</h2>
            <table className="list">
              <tbody>
                {answers.map((answer) => (
                  <tr key={answer.annotation}>
                    <th scope="row">{answer.label}</th>
                    <td>
                      {answer.author ?? <span className="dim">–</span>}
                      {answer.record && answer.record.decided > 0 && (
                        <div className="dim" title={t("review.recordHint")}>
                          {t("review.record", { ...answer.record, share: `${Math.round((100 * answer.record.upheld) / answer.record.decided)}%` })}
                        </div>
                      )}
                    </td>
                    <td>{answer.caption}</td>
                    <td className="num dim">{seconds(answer.active_seconds)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </>
        )}
        {state === "disputed" && (
          <Link to="/p/$projectId/review/$taskId" params={{ projectId: project.id, taskId }} preload={false}>
            {t("tasks.toReview")} →
          </Link>
        )}
        {gold !== null && state === "decided" && <GoldButton taskId={taskId} gold={gold} />}
        <HistoryList history={history} open />
        {canReopen && state === "decided" && (
          <form
            className={styles.reopen}
            onSubmit={(event) => {
              event.preventDefault();
              reopen.mutate(note.trim());
            }}
          >
            <Textarea label={t("tasks.reopenWhy")} autosize minRows={2} value={note} onChange={(event) => setNote(event.currentTarget.value)} data-testid="reopen-note" error={reopen.isError ? problemText(reopen.error).detail : undefined} />
            <Button type="submit" variant="default" disabled={!note.trim()} loading={reopen.isPending} data-testid="reopen">
              {t("tasks.reopen")}
            </Button>
          </form>
        )}
      </section>
    </div>
  );
}
