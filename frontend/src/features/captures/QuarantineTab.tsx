import { Button, CloseButton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import { useQuarantine } from "@/api/quarantine";
import { Chips } from "@/components/Chips";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { bytes, dateTime } from "@/lib/format";
import { useDismiss, useReasons } from "./quarantine";
import styles from "./captures.module.css";

interface Props {
  site: number;
  code: string | undefined;
  onCode: (code: string | undefined) => void;
  mayDismiss: boolean;
}

/** Files that could not become captures, and why. */
export function QuarantineTab({ site, code, onCode, mayDismiss }: Props) {
  const { t, i18n } = useTranslation();
  const query = useQuarantine(site, code);
  const reasons = useReasons(site).data ?? [];
  const dismiss = useDismiss(site);
  const files = flatten(query.data);
  const title = (reason: string) => (i18n.exists(`captures.reasons.${reason}`) ? t(`captures.reasons.${reason}`) : reason);
  const total = reasons.reduce((sum, one) => sum + one.files, 0);
  return (
    <div className="panel">
      {total > 0 && (
        <div className={styles.uploadHead}>
          <Chips
            label={t("captures.reason")}
            value={code}
            onChange={onCode}
            options={[{ value: undefined, label: t("common.all"), count: total }, ...reasons.map((one) => ({ value: one.code, label: title(one.code), count: one.files, testId: `reason-${one.code}` }))]}
          />
          <span className="spacer" />
          {mayDismiss && code && (
            <Button size="compact-xs" variant="default" loading={dismiss.isPending} onClick={() => dismiss.mutate({ code }, { onSuccess: () => onCode(undefined) })} data-testid="dismiss-reason">
              {t("captures.dismissReason")}
            </Button>
          )}
          <Button component="a" href={`/api/v1/sites/${site}/quarantine.csv`} download size="compact-xs" variant="default" data-testid="quarantine-list">
            {t("captures.downloadList")}
          </Button>
        </div>
      )}
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
                {mayDismiss && <th aria-label={t("common.dismiss")} />}
              </tr>
            </thead>
            <tbody>
              {files.map((file) => (
                <tr key={file.id} data-testid="quarantine-row">
                  <td className={styles.refusedName}>{file.name}</td>
                  <td className="dispute">{file.detail || file.code}</td>
                  <td className="num">{file.size > 0 ? bytes(file.size) : "–"}</td>
                  <td className="num dim">{dateTime(file.created_at, i18n.language)}</td>
                  {mayDismiss && (
                    <td className="num">
                      <CloseButton size="sm" aria-label={`${t("common.dismiss")} ${file.name}`} onClick={() => dismiss.mutate({ ids: [file.id] })} />
                    </td>
                  )}
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
