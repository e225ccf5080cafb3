import { Button, NumberInput, Switch, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { LineChart } from "@/components/chart/LineChart";
import { ErrorState, RowsSkeleton, useProblemText } from "@/components/states";
import { notify } from "@/components/toast";
import { dateTime, day, integer } from "@/lib/format";
import { currentLanguage } from "@/lib/i18n";
import { show, showInterval } from "./figures";
import { useChangeStanding, useMine, usePerson, type Figure } from "./quality";
import styles from "./quality.module.css";

const nameIn = (project: Project, key: string) => project.schema.fields.find((field) => field.key === key)?.label[currentLanguage()] ?? key;

function Cell({ figure }: { figure: Figure }) {
  const { i18n } = useTranslation();
  const range = showInterval(figure.interval, "%");
  return (
    <td className="num">
      {show(figure.value, "%")} <span className="dim">{range && `${range} · ${integer(figure.count, i18n.language)}`}</span>
    </td>
  );
}

function Weeks({ weeks }: { weeks: readonly { week: string; right: number | null; answers: number }[] }) {
  const { t, i18n } = useTranslation();
  if (weeks.length === 0) return <p className="dim">{t("quality.noWork")}</p>;
  return <LineChart title={t("quality.rightByWeek")} unit="%" labels={weeks.map((one) => day(one.week, i18n.language))} series={[{ name: t("metric.right.name"), color: "var(--wv-accent)", values: weeks.map((one) => one.right) }]} />;
}

/** One annotator, for those who answer for quality. */
export function PersonPage({ project, userId, mayChange }: { project: Project; userId: number; mayChange: boolean }) {
  const { t, i18n } = useTranslation();
  const query = usePerson(project.id, userId);
  if (query.isPending) return <RowsSkeleton rows={4} height={130} />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  const person = query.data;
  return (
    <div className="page" data-testid="person">
      <div className="pageHead">
        <h1>{person.name}</h1>
        <Link to="/p/$projectId/quality" params={{ projectId: project.id }}>
          {t("quality.title")}
        </Link>
      </div>
      {person.low_evidence && <p className="dispute">{t("quality.lowEvidence")}</p>}
      {person.alerts.map((alert) => (
        <p key={alert.id} className={alert.closed_at ? "dim" : "error"} data-testid={`alert-${alert.kind}`}>
          {t(`quality.alert.${alert.kind}`)} · {dateTime(alert.opened_at, i18n.language)}
          {alert.closed_at && ` – ${dateTime(alert.closed_at, i18n.language)}`}
        </p>
      ))}
      <div className={styles.wall}>
        {(["right", "gold", "accepted", "time"] as const).map((key) => (
          <article key={key} className={styles.tile}>
            <h2>{t(`metric.${key}.name`)}</h2>
            <div className={styles.value}>
              <b>{show(person.figures[key].value, key === "time" ? "s" : "%")}</b>
            </div>
            <p className="dim">
              {showInterval(person.figures[key].interval, key === "time" ? "s" : "%") ?? "–"} · {t("quality.count", { count: person.figures[key].count, shown: integer(person.figures[key].count, i18n.language) })}
            </p>
          </article>
        ))}
      </div>
      <div className={styles.below}>
        <section className="panel">
          <h2 className="panelHead">{t("quality.byField")}</h2>
          <div className="tableWrap">
            <table className="list">
              <thead>
                <tr>
                  <th>{t("quality.field")}</th>
                  <th className="num">{t("metric.right.name")}</th>
                  <th className="num">{t("metric.gold.name")}</th>
                  <th className="num">{t("quality.reliability")}</th>
                </tr>
              </thead>
              <tbody>
                {person.fields.map((field) => (
                  <tr key={field.key}>
                    <td>{nameIn(project, field.key)}</td>
                    <Cell figure={field.right} />
                    <Cell figure={field.gold} />
                    <Cell figure={field.reliability} />
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
        <section className="panel">{mayChange ? <StandingForm key={JSON.stringify(person.standing)} project={project} userId={userId} standing={person.standing} /> : <Weeks weeks={person.weeks} />}</section>
        {mayChange && (
          <section className={`panel ${styles.wide ?? ""}`}>
            <Weeks weeks={person.weeks} />
          </section>
        )}
      </div>
    </div>
  );
}

interface Standing {
  paused: boolean;
  reason: string;
  gold_rate: number | null;
  third: boolean;
}

/** How the person is handed tasks; what they hold stays theirs. */
function StandingForm({ project, userId, standing }: { project: Project; userId: number; standing: Standing }) {
  const { t } = useTranslation();
  const problemText = useProblemText();
  const change = useChangeStanding(project.id, userId);
  const [edit, setEdit] = useState(standing);
  return (
    <form
      className={styles.standing}
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate(edit, { onSuccess: () => notify({ tone: "agree", text: t("admin.saved") }) });
      }}
    >
      <h2 className="panelHead">{t("quality.routing")}</h2>
      <Switch label={t("quality.third")} description={t("quality.thirdHint")} checked={edit.third} onChange={(event) => setEdit({ ...edit, third: event.currentTarget.checked })} data-testid="standing-third" />
      <NumberInput size="xs" label={t("quality.goldRate")} description={t("quality.goldRateHint")} min={0} max={1} step={0.05} decimalScale={2} value={edit.gold_rate ?? ""} onChange={(value) => setEdit({ ...edit, gold_rate: value === "" ? null : Number(value) })} />
      <Switch label={t("quality.pause")} description={t("quality.pauseHint")} checked={edit.paused} onChange={(event) => setEdit({ ...edit, paused: event.currentTarget.checked })} data-testid="standing-paused" />
      {edit.paused && <TextInput size="xs" label={t("quality.reason")} value={edit.reason} required maxLength={500} onChange={(event) => setEdit({ ...edit, reason: event.currentTarget.value })} data-testid="standing-reason" />}
      {change.isError && <p className="error">{problemText(change.error).detail}</p>}
      <Button type="submit" size="xs" loading={change.isPending} disabled={JSON.stringify(edit) === JSON.stringify(standing)} data-testid="standing-save">
        {t("common.save")}
      </Button>
    </form>
  );
}

/** One's own record: full weeks only, so that nothing tells how a task just answered came out. */
export function MyRecordPage({ project }: { project: Project }) {
  const { t, i18n } = useTranslation();
  const query = useMine(project.id);
  if (query.isPending) return <RowsSkeleton rows={4} height={130} />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  const mine = query.data;
  const judged = mine.fields.filter((field) => field.value !== null && !field.low_evidence).sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  const best = judged[0];
  const worst = judged.at(-1);
  return (
    <div className="page" data-testid="my-record">
      <div className="pageHead">
        <h1>{t("quality.mine")}</h1>
        <span className="dim">{t("quality.mineUntil", { day: day(mine.until, i18n.language) })}</span>
        <span className="spacer" />
        <Link to="/feedback">{t("feedback.nav")}</Link>
      </div>
      {best && worst && best !== worst && (
        <p>
          {t("quality.strength", { field: nameIn(project, best.key), share: show(best.value, "%") })} {t("quality.weakness", { field: nameIn(project, worst.key), share: show(worst.value, "%") })}
        </p>
      )}
      <div className={styles.below}>
        <section className="panel">
          <Weeks weeks={mine.weeks} />
        </section>
        <section className="panel">
          <h2 className="panelHead">{t("quality.byField")}</h2>
          <table className="list">
            <tbody>
              {mine.fields.map((field) => (
                <tr key={field.key}>
                  <td>{nameIn(project, field.key)}</td>
                  <Cell figure={field} />
                  <td className="dim">{field.low_evidence && t("quality.fewAnswers")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </div>
    </div>
  );
}
