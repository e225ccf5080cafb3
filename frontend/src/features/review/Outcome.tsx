import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Author } from "@/api/types";
import styles from "./review.module.css";

export interface LastOutcome {
  project: number;
  task: number;
  authors: readonly Author[];
}

export const share = (record: Author["record"]) => (record.decided === 0 ? "–" : `${Math.round((100 * record.upheld) / record.decided)}%`);

/** Who had answered the dispute that was just decided, and how their answers fare: names appear with the decision. */
export function Outcome({ outcome }: { outcome: LastOutcome }) {
  const { t } = useTranslation();
  return (
    <div className={styles.outcome} role="status" data-testid="outcome">
      <Link to="/p/$projectId/tasks/$taskId" params={{ projectId: outcome.project, taskId: outcome.task }}>
        {t("review.last", { id: outcome.task })}
      </Link>
      {outcome.authors.map((author) => (
        <span key={author.label}>
          <b>{author.label}</b> {author.name} <span className={author.upheld ? "agree" : "dispute"}>{t(author.upheld ? "review.upheld" : "review.corrected")}</span>{" "}
          <span className="dim" title={t("review.recordHint")}>
            {t("review.record", { upheld: author.record.upheld, decided: author.record.decided, share: share(author.record) })}
          </span>
        </span>
      ))}
    </div>
  );
}
