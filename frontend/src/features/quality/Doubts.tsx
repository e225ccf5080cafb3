import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import type { Project } from "@/api/types";
import { EmptyState, ErrorState, More, RowsSkeleton, useProblemText } from "@/components/states";
import { notify } from "@/components/toast";
import { useDoubts, useFindDoubts } from "./doubts";

const percent = (share: number) => `${String(Math.round(100 * share))}%`;

/** Decided captions that the pictures contradict, the most doubtful first. */
export function Doubts({ project, mayCheck }: { project: Project; mayCheck: boolean }) {
  const { t } = useTranslation();
  const problemText = useProblemText();
  const query = useDoubts(project.id);
  const find = useFindDoubts(project.id);
  const rows = flatten(query.data);
  return (
    <section className="panel" data-testid="doubts">
      <h2 className="panelHead">{t("doubts.title")}</h2>
      <p className="dim">{t("doubts.hint")}</p>
      <div className="noPrint">
        <Button size="compact-xs" variant="default" loading={find.isPending} onClick={() => find.mutate(undefined, { onSuccess: () => notify({ text: t("doubts.started") }) })} data-testid="find-doubts">
          {t("doubts.find")}
        </Button>{" "}
        {mayCheck && (
          <Link to="/p/$projectId/spot-checks" params={{ projectId: project.id }} data-testid="to-spot-checks">
            {t("spotChecks.open")}
          </Link>
        )}
        {find.isError && <span className="error">{problemText(find.error).detail}</span>}
      </div>
      {query.isPending && <RowsSkeleton rows={3} />}
      {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
      {query.isSuccess && rows.length === 0 && <EmptyState title={t("doubts.empty")} testId="no-doubts" />}
      {rows.length > 0 && (
        <div className="tableWrap">
          <table className="list">
            <tbody>
              {rows.map((row) => (
                <tr key={row.id} data-testid={`doubt-${row.task}`}>
                  <td>{row.thumb && <img src={row.thumb} alt="" width={48} loading="lazy" />}</td>
                  <td>
                    <Link to="/p/$projectId/tasks/$taskId" params={{ projectId: project.id, taskId: row.task }}>
                      #{row.task}
                    </Link>{" "}
                    <span className="mono">{row.caption}</span>
                    <br />
                    {row.why.map((one) => (
                      <span key={one.code} className="tag">
                        {one.code === "spec" ? t("doubts.why.spec", { spec: one.spec }) : t(`doubts.why.${one.code}`, { sku: one.sku.toUpperCase(), share: percent(one.share ?? 0) })}
                      </span>
                    ))}
                  </td>
                  <td className="num">{percent(row.score)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <More query={query} />
        </div>
      )}
    </section>
  );
}
