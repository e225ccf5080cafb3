import { createPortal } from "react-dom";
import { useTranslation } from "react-i18next";
import type { Project, Task } from "@/api/types";
import { UrgentTag } from "@/components/stateTag";
import { seconds } from "@/lib/format";
import { useKeyLabel } from "@/lib/keymap";
import flow from "./flow.module.css";
import styles from "./labeling.module.css";

export const TARGET_SECONDS = 90;

interface Props {
  project: Project;
  task: Task | undefined;
  activeSeconds: number | null;
  idle?: boolean;
  onHelp: () => void;
  onGuide: () => void;
  onRecent?: () => void;
}

/** How far the day is: what is done of what was to be had. */
function Progress({ done, left }: { done: number; left: number }) {
  return <progress className={flow.progress} max={Math.max(1, done + left)} value={done} aria-hidden="true" />;
}

/** Queue, day and pace, in the header's free place. */
export function HeaderStats({ project, task, activeSeconds, idle = false, onHelp, onGuide, onRecent }: Props) {
  const { t } = useTranslation();
  const keyLabel = useKeyLabel();
  const slot = document.getElementById("header-slot");
  const { open, today, mean_active_seconds: mean } = project.my;
  if (!slot) return null;
  return createPortal(
    <div className={styles.stats}>
      {task?.priority === "urgent" && <UrgentTag />}
      <span title={t("flow.progress", { today, open })}>
        {t("label.queue")} <b data-testid="queue-count">{open}</b>
      </span>
      <span title={t("flow.progress", { today, open })}>
        {t("label.today")} <b data-testid="today-count">{today}</b>
        <Progress done={today} left={open} />
      </span>
      <span className={mean !== null && mean > TARGET_SECONDS ? "dispute" : ""} title={t("flow.pace", { target: TARGET_SECONDS })} data-testid="pace">
        {t("label.mean")} <b>{seconds(mean)}</b> <span className={`dim ${flow.wideOnly ?? ""}`}>(≤ {TARGET_SECONDS})</span>
      </span>
      {activeSeconds !== null && (
        <span className={idle ? "dim" : activeSeconds > TARGET_SECONDS ? "dispute" : ""} data-idle={idle || undefined} title={idle ? t("flow.idle") : undefined} data-testid="active-seconds">
          {t("label.thisOne")} <b>{Math.round(activeSeconds)} s</b> {idle && <span aria-hidden="true">⏸</span>}
        </span>
      )}
      {onRecent && (
        <button type="button" className={styles.help} onClick={onRecent} data-testid="recent-open">
          {t("flow.recent.short")} <kbd>{keyLabel("recent")}</kbd>
        </button>
      )}
      {project.guide && (
        <button type="button" className={styles.help} onClick={onGuide} data-unread={project.my.guide_unread || undefined} title={project.my.guide_unread ? t("guide.changed") : undefined} data-testid="guide-open">
          {t("guide.title")} {project.my.guide_unread && <span className={styles.dot} role="img" aria-label={t("guide.changed")} />}
          <kbd>{keyLabel("guide")}</kbd>
        </button>
      )}
      <button type="button" className={styles.help} onClick={onHelp} aria-label={t("help.title")} data-testid="help">
        {t("help.short")} <kbd>{keyLabel("help")}</kbd>
      </button>
    </div>,
    slot,
  );
}
