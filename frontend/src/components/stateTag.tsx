import { useTranslation } from "react-i18next";
import type { TaskState } from "@/api/types";

const TONE: Partial<Record<TaskState, string>> = { disputed: "dispute", decided: "agree", rejected: "error" };

export function StateTag({ state }: { state: TaskState }) {
  const { t } = useTranslation();
  return <span className={`tag ${TONE[state] ?? ""}`}>{t(`taskState.${state}`)}</span>;
}

export function UrgentTag() {
  const { t } = useTranslation();
  return <span className="tag error">{t("task.urgent")}</span>;
}
