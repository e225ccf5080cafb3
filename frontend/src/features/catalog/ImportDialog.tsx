import { Button, Modal } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ImportReport } from "@/api/types";
import { FilePicker } from "@/components/FilePicker";
import { ErrorState } from "@/components/states";
import { notify } from "@/components/toast";
import { useImportCatalog } from "./importCatalog";
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

/** Choose a file, see what it would do, then do it. */
export function ImportDialog({ site, opened, onClose }: { site: number; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const [file, setFile] = useState<File | null>(null);
  const [skipBad, setSkipBad] = useState(false);
  const run = useImportCatalog(site);
  const report = run.data;
  const bad = report?.errors.length ?? 0;
  const close = () => {
    setFile(null);
    setSkipBad(false);
    run.reset();
    onClose();
  };
  return (
    <Modal opened={opened} onClose={close} title={t("catalog.import")} size="xl" closeButtonProps={{ "aria-label": t("common.close") }}>
      <p className="dim">{t("catalog.importHint")}</p>
      <div className={styles.importBar}>
        <FilePicker
          label={t("catalog.chooseFile")}
          accept=".csv,text/csv"
          testId="import-file"
          onPick={([chosen]) => {
            setFile(chosen ?? null);
            run.reset();
          }}
        />
        <span>{file?.name}</span>
        <Button size="xs" variant={report ? "default" : "filled"} disabled={!file} loading={run.isPending} onClick={() => file && run.mutate({ file, dryRun: true, skipBad: false })} data-testid="import-dry-run">
          {t("catalog.dryRun")}
        </Button>
      </div>
      {run.isError && <ErrorState error={run.error} />}
      {report && <Report report={report} />}
      {report && (
        <div className={styles.importBar}>
          {bad > 0 && (
            <label>
              <input type="checkbox" checked={skipBad} data-testid="import-skip-bad" onChange={(event) => setSkipBad(event.target.checked)} /> {t("catalog.skipBad", { count: bad })}
            </label>
          )}
          <span className="spacer" />
          <Button
            size="xs"
            disabled={!file || (bad > 0 && !skipBad) || report.columns.missing.length > 0}
            loading={run.isPending}
            data-testid="import-apply"
            onClick={() =>
              file &&
              run.mutate(
                { file, dryRun: false, skipBad },
                {
                  onSuccess: (done) => {
                    notify({ tone: "agree", text: t("catalog.importDone", { created: done.created, updated: done.updated }) });
                    close();
                  },
                },
              )
            }
          >
            {t("catalog.apply", { count: report.created + report.updated })}
          </Button>
        </div>
      )}
    </Modal>
  );
}
