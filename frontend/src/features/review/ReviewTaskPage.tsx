import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { asProblem } from "@/api/problem";
import type { Project } from "@/api/types";
import { EmptyState, ErrorState, RowsSkeleton } from "@/components/states";
import { useMe } from "@/features/session/session";
import { isFree } from "./claim";
import { useDispute } from "./dispute";
import { disputesQuery } from "./disputes";
import { ReviewDesk } from "./ReviewDesk";

export function ReviewTaskPage({ project, taskId }: { project: Project; taskId: number }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const me = useMe();
  const dispute = useDispute(taskId);

  const toNext = async () => {
    await client.invalidateQueries({ queryKey: disputesQuery(project.id).queryKey });
    const list = await client.infiniteQuery(disputesQuery(project.id)).catch(() => null);
    const next = list?.pages[0]?.results.find((one) => one.task.id !== taskId && isFree(one, me));
    if (next) await navigate({ to: "/p/$projectId/review/$taskId", params: { projectId: project.id, taskId: next.task.id } });
    else await navigate({ to: "/p/$projectId/review", params: { projectId: project.id } });
  };

  if (dispute.isPending) return <RowsSkeleton />;
  if (dispute.isError) {
    const problem = asProblem(dispute.error);
    const back = <Link to="/p/$projectId/review" params={{ projectId: project.id }}>{t("review.back")}</Link>;
    if (problem.status === 409) {
      return (
        <EmptyState title={problem.detail || t("review.claimedByOther")}>
          <button type="button" onClick={() => void toNext()}>
            {t("review.takeNext")}
          </button>{" "}
          {back}
        </EmptyState>
      );
    }
    return <ErrorState error={dispute.error} retry={() => void dispute.refetch()} />;
  }
  return <ReviewDesk key={taskId} project={project} dispute={dispute.data} onDone={() => void toNext()} />;
}
