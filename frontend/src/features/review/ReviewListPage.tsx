import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import { countsOf } from "@/features/projects/counts";
import type { Project } from "@/api/types";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { UrgentTag } from "@/components/stateTag";
import { useMe } from "@/features/session/session";
import { dateTime, probability } from "@/lib/format";
import { isFree } from "./claim";
import { useDisputes } from "./disputes";
import { Reasons } from "./Reasons";

export function ReviewListPage({ project }: { project: Project }) {
  const { t, i18n } = useTranslation();
  const counts = countsOf(project);
  const me = useMe();
  const query = useDisputes(project.id);
  const disputes = flatten(query.data);
  const first = disputes.find((dispute) => isFree(dispute, me));
  return (
    <div className="page">
      <div className="pageHead">
        <h1>{t("review.title")}</h1>
        <span className="dim" data-testid="dispute-count">
          {t("review.count", { count: counts.disputed })}
        </span>
        <span className="spacer" />
        {first && (
          <Link to="/p/$projectId/review/$taskId" params={{ projectId: project.id, taskId: first.task.id }} data-testid="review-start">
            {t("review.start")} →
          </Link>
        )}
      </div>
      <div className="panel">
        {query.isPending && <RowsSkeleton />}
        {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
        {query.isSuccess && disputes.length === 0 && <EmptyState title={t("review.empty")}>{t("review.emptyHint")}</EmptyState>}
        {disputes.length > 0 && (
          <div className="tableWrap">
            <table className="list">
              <thead>
                <tr>
                  <th>{t("review.photo")}</th>
                  <th>{t("review.task")}</th>
                  <th>{t("review.why")}</th>
                  <th className="num">{t("review.agreement")}</th>
                  <th>{t("review.opened")}</th>
                  <th>{t("review.claimed")}</th>
                </tr>
              </thead>
              <tbody>
                {disputes.map(({ task, thumb, reasons, score, opened_at, claimed_by, reopened }) => (
                  <tr key={task.id} data-testid={`review-row-${task.id}`}>
                    <td>
                      <Link to="/p/$projectId/review/$taskId" params={{ projectId: project.id, taskId: task.id }} preload={false}>
                        {thumb ? <img className="thumb" src={thumb} alt="" loading="lazy" /> : <span className="thumb" />}
                      </Link>
                    </td>
                    <td>
                      <Link to="/p/$projectId/review/$taskId" params={{ projectId: project.id, taskId: task.id }} preload={false}>
                        #{task.id}
                      </Link>{" "}
                      {task.priority === "urgent" && <UrgentTag />} {reopened && <span className="tag">{t("review.reopened")}</span>}
                    </td>
                    <td>
                      <Reasons reasons={reasons} fields={project.schema.fields} />
                    </td>
                    <td className="num">{probability(score)}</td>
                    <td className="dim">{dateTime(opened_at, i18n.language)}</td>
                    <td>{claimed_by ?? <span className="dim">–</span>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        <More query={query} />
      </div>
    </div>
  );
}
