import { createPortal } from "react-dom";
import { useTranslation } from "react-i18next";
import type { Project, Task } from "@/api/types";
import { UrgentTag } from "@/components/stateTag";
import { seconds } from "@/lib/format";
import styles from "./labeling.module.css";

export const TARGET_SECONDS = 90;

/** Queue, day and pace, in the header's free place. */
export function HeaderStats({ project, task, activeSeconds, onHelp }: { project: Project; task: Task | undefined; activeSeconds: number | null; onHelp: () => void }) {
  const { t } = useTranslation();
  const slot = document.getElementById("header-slot");
  const mean = project.my.mean_active_seconds;
  if (!slot) return null;
  return createPortal(
    <div className={styles.stats}>
      {task?.priority === "urgent" && <UrgentTag />}
      <span>
        {t("label.queue")} <b data-testid="queue-count">{project.my.open}</b>
      </span>
      <span>
        {t("label.today")} <b data-testid="today-count">{project.my.today}</b>
      </span>
      <span className={mean !== null && mean > TARGET_SECONDS ? "dispute" : ""}>
        {t("label.mean")} <b>{seconds(mean)}</b> <span className="dim">(≤ {TARGET_SECONDS})</span>
      </span>
      {activeSeconds !== null && (
        <span className={activeSeconds > TARGET_SECONDS ? "dispute" : ""} data-testid="active-seconds">
          {t("label.thisOne")} <b>{Math.round(activeSeconds)} s</b>
        </span>
      )}
      <button type="button" className={styles.help} onClick={onHelp} aria-label={t("help.title")} data-testid="help">
        {t("help.short")} <kbd>?</kbd>
      </button>
    </div>,
    slot,
  );
}
