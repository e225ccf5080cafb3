import { Button, Modal } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ImportReport } from "@/api/types";
import { FilePicker } from "@/components/FilePicker";
import { ErrorState, RowsSkeleton } from "@/components/states";
import { notify } from "@/components/toast";
import { useJob } from "@/features/jobs/job";
import { JobProgress } from "@/features/jobs/JobProgress";
import { isOpen } from "@/features/jobs/pulse";
import { renewCatalog, useImportCatalog } from "./importCatalog";
import styles from "./catalog.module.css";

function Report({ report }: { report: ImportReport }) {
  const { t } = useTranslation();
  return (
    <div data-testid="import-report">
      <p>
        {t("catalog.importCounts", { created: report.created, updated: report.updated, unchanged: report.unchanged, pictures: report.pictures })}{" "}
        <span className={report.errors.length ? "error" : "agree"} data-testid="import-error-count">
          {t("catalog.importErrors", { count: report.errors.length })}
        </span>
      </p>
      {report.deactivated > 0 && <p className="dispute">{t("catalog.deactivated", { count: report.deactivated })}</p>}
      {report.columns.missing.length > 0 && <p className="error">{t("catalog.missingColumns", { columns: report.columns.missing.join(", ") })}</p>}
      {report.columns.extra.length > 0 && <p className="dim">{t("catalog.extraColumns", { columns: report.columns.extra.join(", ") })}</p>}
      {report.errors.length > 0 && (
        <div className={styles.importErrors}>
          <table className="list">
            <thead>
              <tr>
                <th className="num">{t("catalog.line")}</th>
                <th>{t("catalog.column")}</th>
                <th>{t("catalog.value")}</th>
                <th>{t("captures.reason")}</th>
              </tr>
            </thead>
            <tbody>
              {report.errors.map((error, index) => (
                <tr key={index} data-testid="import-error">
                  <td className="num">{error.line}</td>
                  <td>{t(`catalog.fields.${error.column}`, { defaultValue: error.column })}</td>
                  <td className="mono">{error.value}</td>
                  <td>{error.message}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

/** What would change, SKU by SKU: old value struck through, new one beside it. */
function Changes({ report }: { report: ImportReport }) {
  const { t } = useTranslation();
  if (report.changes.length === 0) return null;
  const all = report.created + report.updated + report.deactivated;
  return (
    <details className={styles.changes} data-testid="import-changes">
      <summary>
        {t("catalog.changes", { count: all })}
        {all > report.changes.length && <span className="dim"> {t("catalog.changesFirst", { count: report.changes.length })}</span>}
      </summary>
      <div className={styles.importErrors}>
        <table className="list">
          <tbody>
            {report.changes.map((change) => (
              <tr key={`${change.action}${change.code}`}>
                <td className="num dim">{change.line ?? ""}</td>
                <td>
                  <span className={`tag ${change.action === "create" ? "agree" : "dispute"}`}>{t(`catalog.change.${change.action}`)}</span>
                </td>
                <td className="mono">{change.code}</td>
                <td>
                  {change.action !== "update" && change.name}
                  {Object.entries(change.fields).map(([field, [old, now]]) => (
                    <div key={field}>
                      <span className="dim">{t(`catalog.fields.${field}`, { defaultValue: field })}</span> <del>{shown(old)}</del> <ins>{shown(now)}</ins>
                    </div>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

const shown = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

/** A large file is imported in the background: how far it is, then what it did. */
function Background({ site, id, onDone }: { site: number; id: number; onDone: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const job = useJob(id).data;
  const ended = job !== undefined && !isOpen(job);
  useEffect(() => {
    if (ended) void renewCatalog(client, site);
  }, [client, site, ended]);
  if (!job) return <RowsSkeleton rows={2} />;
  return (
    <>
      <JobProgress job={job} />
      <div className={styles.importBar}>
        <span className="dim">{ended ? "" : t("catalog.mayClose")}</span>
        <span className="spacer" />
        <Button size="xs" onClick={onDone} data-testid="import-close">
          {t("common.close")}
        </Button>
      </div>
    </>
  );
}

/** Choose a file, see what it would do, then do it. */
export function ImportDialog({ site, opened, onClose }: { site: number; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const [file, setFile] = useState<File | null>(null);
  const [skipBad, setSkipBad] = useState(false);
  const [mirror, setMirror] = useState(false);
  const run = useImportCatalog(site);
  const report = run.data;
  const bad = report?.errors.length ?? 0;
  const close = () => {
    setFile(null);
    setSkipBad(false);
    setMirror(false);
    run.reset();
    onClose();
  };
  if (report?.job !== undefined) {
    return (
      <Modal opened={opened} onClose={close} title={t("catalog.import")} size="xl" closeButtonProps={{ "aria-label": t("common.close") }}>
        <Background site={site} id={report.job} onDone={close} />
      </Modal>
    );
  }
  return (
    <Modal opened={opened} onClose={close} title={t("catalog.import")} size="xl" closeButtonProps={{ "aria-label": t("common.close") }}>
      <p className="dim">{t("catalog.importHint")}</p>
      <div className={styles.importBar}>
        <FilePicker
          label={t("catalog.chooseFile")}
          accept=".csv,.xlsx,text/csv,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
          testId="import-file"
          onPick={([chosen]) => {
            setFile(chosen ?? null);
            run.reset();
          }}
        />
        <span>{file?.name}</span>
        <span className="spacer" />
        <label>
          <input
            type="checkbox"
            checked={mirror}
            data-testid="import-mirror"
            onChange={(event) => {
              setMirror(event.target.checked);
              run.reset();
            }}
          />{" "}
          {t("catalog.mirror")}
        </label>
        <Button size="xs" variant={report ? "default" : "filled"} disabled={!file} loading={run.isPending} onClick={() => file && run.mutate({ file, dryRun: true, skipBad: false, mirror })} data-testid="import-dry-run">
          {t("catalog.dryRun")}
        </Button>
      </div>
      {run.isError && <ErrorState error={run.error} />}
      {report && <Report report={report} />}
      {report && <Changes report={report} />}
      {report && (
        <div className={styles.importBar}>
          {bad > 0 && mirror && <span className="error">{t("catalog.mirrorNeedsGood")}</span>}
          {bad > 0 && !mirror && (
            <label>
              <input type="checkbox" checked={skipBad} data-testid="import-skip-bad" onChange={(event) => setSkipBad(event.target.checked)} /> {t("catalog.skipBad", { count: bad })}
            </label>
          )}
          <span className="spacer" />
          <Button
            size="xs"
            disabled={!file || (bad > 0 && (mirror || !skipBad)) || report.columns.missing.length > 0}
            loading={run.isPending}
            data-testid="import-apply"
            onClick={() =>
              file &&
              run.mutate(
                { file, dryRun: false, skipBad, mirror },
                {
                  onSuccess: (done) => {
                    if (done.job !== undefined) return;
                    notify({ tone: "agree", text: t("catalog.importDone", { created: done.created, updated: done.updated }) });
                    close();
                  },
                },
              )
            }
          >
            {t("catalog.apply", { count: report.created + report.updated + report.deactivated })}
          </Button>
        </div>
      )}
    </Modal>
  );
}
