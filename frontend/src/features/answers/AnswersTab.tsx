import { Fragment, useState } from "react";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import { Disclosure } from "@/components/Disclosure";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { dateTime, probability } from "@/lib/format";
import { useAnswer, useAnswers, type Answer, type AnswerDetail } from "./answers";
import { ReplayView } from "./ReplayView";
import styles from "./answers.module.css";

const MOST_CANDIDATES = 5;
const REQUEST_CHARS = 12;
const told = (data: Record<string, unknown>) => Object.entries(data).map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`);

/** What was said of one picture, and what it was made of. */
export function AnswerFacts({ answer }: { answer: AnswerDetail }) {
  const { t } = useTranslation();
  const given = [...told(answer.sensor_data), ...told(answer.context_metadata)];
  const read = [...answer.barcodes.map((one) => one.text), ...answer.ocr_lines.map((one) => one.text)];
  return (
    <dl className={styles.facts}>
      {Object.entries(answer.fields).map(([field, { value, confidence }]) => (
        <Fragment key={field}>
          <dt>{t(`answers.fields.${field}`, { defaultValue: field })}</dt>
          <dd className="machine">
            {value ?? "–"} <span className="dim">{probability(confidence)}</span>
          </dd>
        </Fragment>
      ))}
      <dt>{t("answers.candidates")}</dt>
      <dd>{answer.candidates.length === 0 ? "–" : answer.candidates.slice(0, MOST_CANDIDATES).map((one) => `${one.sku_code} ${one.name} ${probability(one.confidence)}`).join(" · ")}</dd>
      <dt>{t("answers.read")}</dt>
      <dd>{read.join(" · ") || "–"}</dd>
      {answer.left_out.length > 0 && (
        <>
          <dt>{t("answers.leftOut")}</dt>
          <dd className="dispute">{answer.left_out.map((piece) => t(`evidence.pieces.${piece}`, { defaultValue: piece })).join(" · ")}</dd>
        </>
      )}
      <dt>{t("answers.given")}</dt>
      <dd className="mono">{given.join(" · ") || "–"}</dd>
      <dt>{t("answers.column.request")}</dt>
      <dd className="mono dim">{answer.request_id}</dd>
      <dt>{t("answers.known")}</dt>
      <dd>
        {answer.site_number} / {answer.learned_number}
      </dd>
      <dt>{t("answers.version")}</dt>
      <dd className={`mono dim ${styles.version}`}>{answer.model_version}</dd>
    </dl>
  );
}

function Detail({ site, answer }: { site: number; answer: number }) {
  const query = useAnswer(site, answer);
  if (query.isPending) return <RowsSkeleton />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  return (
    <div className={styles.detail} data-testid={`answer-detail-${answer}`}>
      {query.data.picture && <img className={styles.picture} src={query.data.picture} alt="" />}
      <AnswerFacts answer={query.data} />
      <ReplayView site={site} answer={answer} />
    </div>
  );
}

export function AnswerRow({ answer, open, onToggle }: { answer: Answer; open: boolean; onToggle: () => void }) {
  const { t, i18n } = useTranslation();
  return (
    <tr data-testid={`answer-${answer.id}`}>
      <td>
        <Disclosure open={open} onToggle={onToggle} testId={`open-answer-${answer.id}`}>
          {answer.id}
        </Disclosure>
      </td>
      <td className="dim">{dateTime(answer.created_at, i18n.language)}</td>
      <td>{answer.picture ? <img className="thumb" src={answer.picture} alt="" loading="lazy" /> : <span className="dim">{t("answers.noPicture")}</span>}</td>
      <td>
        <span className="machine mono">{answer.sku ?? "–"}</span> <span className="dim">{probability(answer.confidence)}</span>
        {answer.flags.map((flag) => (
          <div key={flag} className="dispute">
            {t(`flag.${flag}`, { defaultValue: flag })}
          </div>
        ))}
      </td>
      <td>{answer.caller ?? "–"}</td>
      <td className="mono dim" title={answer.request_id}>
        {answer.request_id.slice(0, REQUEST_CHARS)}
      </td>
      <td>{answer.model ?? <span className="dim">{t("training.base")}</span>}</td>
    </tr>
  );
}

const COLUMNS = ["id", "at", "picture", "said", "caller", "request", "model"] as const;

/** The answers that the machine API gave and the site kept; each can be made again. */
export function AnswersTab({ site }: { site: number }) {
  const { t } = useTranslation();
  const query = useAnswers(site);
  const answers = flatten(query.data);
  const [open, setOpen] = useState<number | null>(null);
  if (query.isPending) return <RowsSkeleton />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (answers.length === 0) return <EmptyState title={t("answers.none")}>{t("answers.noneHint")}</EmptyState>;
  return (
    <>
      <div className="tableWrap">
        <table className="list">
          <thead>
            <tr>
              {COLUMNS.map((name) => (
                <th key={name}>{t(`answers.column.${name}`)}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {answers.map((answer) => (
              <Fragment key={answer.id}>
                <AnswerRow answer={answer} open={open === answer.id} onToggle={() => setOpen(open === answer.id ? null : answer.id)} />
                {open === answer.id && (
                  <tr>
                    <td colSpan={COLUMNS.length}>
                      <Detail site={site} answer={answer.id} />
                    </td>
                  </tr>
                )}
              </Fragment>
            ))}
          </tbody>
        </table>
      </div>
      <More query={query} />
    </>
  );
}
