import { useTranslation } from "react-i18next";
import type { AuditEntry } from "@/api/types";
import { dateTime } from "@/lib/format";

/** What happened to a task, newest last; folded until wanted. */
export function HistoryList({ history, open = false }: { history: readonly AuditEntry[]; open?: boolean }) {
  const { t, i18n } = useTranslation();
  if (history.length === 0) return null;
  return (
    <details open={open}>
      <summary>{t("history.title", { count: history.length })}</summary>
      <table className="list">
        <tbody>
          {history.map((entry) => (
            <tr key={entry.id}>
              <td className="dim">{dateTime(entry.at, i18n.language)}</td>
              <td>{t(`history.action.${entry.action.replaceAll(".", "_")}`, { defaultValue: entry.action })}</td>
              <td>{entry.actor ?? <span className="dim">–</span>}</td>
              <td className="dim">{typeof entry.data.note === "string" ? entry.data.note : ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
