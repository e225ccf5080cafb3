import { useTranslation } from "react-i18next";
import { FilePicker } from "@/components/FilePicker";
import { useProblemText } from "@/components/states";
import { useImportGold, type GoldReport } from "./importGold";
import styles from "./tasks.module.css";

/** What a list did, or what is wrong with it, row by row. */
export function GoldResult({ report }: { report: GoldReport }) {
  const { t } = useTranslation();
  if (report.errors.length === 0) {
    return (
      <p className="agree" role="status" data-testid="gold-imported">
        {t("tasks.goldImported", { made: report.made, decided: report.decided })}
      </p>
    );
  }
  return (
    <div role="alert" data-testid="gold-refused">
      <p className="error">{t("tasks.goldRefused")}</p>
      <ul>
        {report.errors.map((error) => (
          <li key={`${error.line}/${error.column}/${error.code}`}>{t("tasks.goldRow", { line: error.line, column: error.column, message: error.message })}</li>
        ))}
      </ul>
    </div>
  );
}

/** Gold tasks whose captions are known from elsewhere. */
export function GoldImport({ projectId }: { projectId: number }) {
  const { t } = useTranslation();
  const problemText = useProblemText();
  const load = useImportGold(projectId);
  return (
    <div className={`panel ${styles.import ?? ""}`}>
      <FilePicker label={t("tasks.importGold")} accept=".csv,.json,text/csv,application/json" disabled={load.isPending} testId="gold-file" onPick={([file]) => file && load.mutate(file)} />
      <span className="dim">{t("tasks.importGoldHint")}</span>
      {load.isError && <p className="error">{problemText(load.error).detail}</p>}
      {load.data && <GoldResult report={load.data} />}
    </div>
  );
}
