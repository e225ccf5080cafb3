import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { dateTime } from "@/lib/format";
import { useAudit } from "./audit";

export function AuditTab({ site }: { site: number }) {
  const { t, i18n } = useTranslation();
  const query = useAudit(site);
  const entries = flatten(query.data);
  if (query.isPending) return <RowsSkeleton />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (entries.length === 0) return <EmptyState title={t("admin.noAudit")} />;
  return (
    <>
      <div className="tableWrap">
        <table className="list">
          <thead>
            <tr>
              <th>{t("captures.at")}</th>
              <th>{t("admin.actor")}</th>
              <th>{t("admin.action")}</th>
              <th>{t("admin.object")}</th>
              <th>{t("admin.data")}</th>
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <tr key={entry.id} data-testid="audit-row">
                <td className="dim">{dateTime(entry.at, i18n.language)}</td>
                <td>{entry.actor ?? <span className="machine">{t("admin.system")}</span>}</td>
                <td>{t(`history.action.${entry.action.replaceAll(".", "_")}`, { defaultValue: entry.action })}</td>
                <td className="mono">
                  {entry.object_type} {entry.object_id}
                </td>
                <td className="mono dim" style={{ overflowWrap: "anywhere" }}>
                  {Object.entries(entry.data).map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`).join(" · ")}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <More query={query} />
    </>
  );
}
