import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import { useQuarantine } from "@/api/quarantine";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { bytes, dateTime } from "@/lib/format";

/** Files that could not become captures, and why. */
export function QuarantineTab({ site }: { site: number }) {
  const { t, i18n } = useTranslation();
  const query = useQuarantine(site);
  const files = flatten(query.data);
  return (
    <div className="panel">
      {query.isPending && <RowsSkeleton />}
      {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
      {query.isSuccess && files.length === 0 && <EmptyState title={t("captures.quarantineEmpty")} />}
      {files.length > 0 && (
        <div className="tableWrap">
          <table className="list">
            <thead>
              <tr>
                <th>{t("captures.file")}</th>
                <th>{t("captures.reason")}</th>
                <th className="num">{t("captures.size")}</th>
                <th className="num">{t("captures.at")}</th>
              </tr>
            </thead>
            <tbody>
              {files.map((file) => (
                <tr key={file.id} data-testid="quarantine-row">
                  <td>{file.name}</td>
                  <td className="dispute">{file.detail || file.code}</td>
                  <td className="num">{bytes(file.size)}</td>
                  <td className="num dim">{dateTime(file.created_at, i18n.language)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More query={query} />
    </div>
  );
}
