import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Suspense, lazy, useState } from "react";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import type { FieldValues, Project } from "@/api/types";
import { UnknownValue } from "@/components/fields/UnknownButton";
import { EmptyState, ErrorState, RowsSkeleton, useProblemText } from "@/components/states";
import { show, showInterval } from "@/features/quality/figures";
import { useQuality } from "@/features/quality/quality";
import { isUnknown } from "@/lib/captions";
import { useHotkeys } from "@/lib/hotkeys";
import { currentLanguage } from "@/lib/i18n";
import { useCheck, useOpenChecks, type SpotCheck } from "./spotChecks";
import styles from "./spotChecks.module.css";

const Mend = lazy(async () => ({ default: (await import("./Mend")).Mend }));

/** What spot checks have found so far, with its interval. */
function Result({ project }: { project: Project }) {
  const { t } = useTranslation();
  const found = useQuality(project.id).data?.metrics.find((metric) => metric.key === "spot_check_error");
  if (!found || found.count === 0) return <span className="dim">{t("quality.note.no_spot_checks")}</span>;
  return (
    <span data-testid="spot-result">
      {t("spotChecks.result", { count: found.count, value: show(found.value, "%"), range: showInterval(found.interval, "%") })}
    </span>
  );
}

function Check({ project, row, left }: { project: Project; row: SpotCheck; left: number }) {
  const { t } = useTranslation();
  const problemText = useProblemText();
  const check = useCheck(project.id);
  const [changed, setChanged] = useState<ReadonlySet<string>>(new Set());
  const fields = project.schema.fields;
  const toggle = (key: string) =>
    setChanged((before) => {
      const next = new Set(before);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  const right = () => {
    if (!check.isPending && changed.size === 0) check.mutate({ id: row.id, wrong: false, changed: [], note: "" });
  };
  useHotkeys({
    enter: right,
    ...Object.fromEntries(fields.slice(0, 9).map((field, n) => [String(n + 1), () => toggle(field.key)])),
  });
  return (
    <div className={styles.desk}>
      <div className={styles.photos}>
        {row.captures.map((capture) => (
          <a key={capture.id} href={capture.images.original} target="_blank" rel="noreferrer">
            <img src={capture.images.display} alt={capture.image_id} />
          </a>
        ))}
      </div>
      <div className={`panel ${styles.card ?? ""}`}>
        <p className="dim">{t("spotChecks.left", { count: left })}</p>
        <table className="list">
          <tbody>
            {fields.map((field, n) => {
              const value = row.fields[field.key];
              return (
                <tr key={field.key} data-wrong={changed.has(field.key) || undefined} className={styles.field}>
                  <th scope="row">{field.label[currentLanguage()]}</th>
                  <td>{isUnknown(value) ? <UnknownValue reason={value.unknown} /> : typeof value === "string" ? value : "–"}</td>
                  <td className="num">
                    <Button size="compact-xs" variant={changed.has(field.key) ? "filled" : "default"} color="red" aria-pressed={changed.has(field.key)} onClick={() => toggle(field.key)} data-testid={`wrong-${field.key}`} rightSection={<kbd>{n + 1}</kbd>}>
                      {t("spotChecks.fieldWrong")}
                    </Button>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
        <p className="mono dim">{row.caption}</p>
        {changed.size > 0 ? (
          <Suspense fallback={<RowsSkeleton height={100} />}>
            <Mend project={project} id={row.id} decided={row.fields as FieldValues} changed={changed} check={check} />
          </Suspense>
        ) : (
          <>
            {check.isError && <p className="error">{problemText(check.error).detail}</p>}
            <div className={styles.actions}>
              <Button loading={check.isPending} onClick={right} data-testid="spot-right" rightSection={<kbd>⏎</kbd>}>
                {t("spotChecks.right")}
              </Button>
            </div>
          </>
        )}
      </div>
    </div>
  );
}

/** Decisions that get a second look, one after the other. Whose they were and why they were drawn is not told. */
export function SpotChecksPage({ project }: { project: Project }) {
  const { t } = useTranslation();
  const query = useOpenChecks(project.id);
  const rows = flatten(query.data);
  const first = rows[0];
  return (
    <div className="page">
      <div className="pageHead">
        <h1>{t("spotChecks.title")}</h1>
        <span className="dim">{t("spotChecks.hint")}</span>
        <span className="spacer" />
        <Result project={project} />
        <Link to="/p/$projectId/quality" params={{ projectId: project.id }}>
          ← {t("quality.title")}
        </Link>
      </div>
      {query.isPending && <RowsSkeleton height={100} />}
      {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
      {query.isSuccess && !first && <EmptyState title={t("spotChecks.empty")}>{t("spotChecks.emptyHint")}</EmptyState>}
      {first && <Check key={first.id} project={project} row={first} left={rows.length} />}
    </div>
  );
}
