import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { asProblem } from "@/api/problem";
import type { Author, Project } from "@/api/types";
import { EmptyState, ErrorState, RowsSkeleton } from "@/components/states";
import { useDispute, useNextDispute } from "./dispute";
import type { DisputeFilter } from "./disputes";
import type { LastOutcome } from "./Outcome";
import { ReviewDesk } from "./ReviewDesk";

/** One dispute after another, in the order of the list that one came from. */
export function ReviewTaskPage({ project, taskId, filter }: { project: Project; taskId: number; filter: DisputeFilter }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [last, setLast] = useState<LastOutcome | null>(null);
  const dispute = useDispute(taskId);
  const findNext = useNextDispute(project.id, taskId, filter);

  const toNext = async () => {
    const next = await findNext();
    void client.invalidateQueries({ queryKey: ["disputes", project.id, "summary"] });
    if (next === undefined) await navigate({ to: "/p/$projectId/review", params: { projectId: project.id }, search: filter });
    else await navigate({ to: "/p/$projectId/review/$taskId", params: { projectId: project.id, taskId: next }, search: filter });
  };
  const done = (authors: readonly Author[] | null) => {
    // a queue of one pair only stays blind: the names of one decision would be those of all
    setLast(authors && authors.length > 0 && filter.pair === undefined ? { project: project.id, task: taskId, authors } : null);
    void toNext();
  };

  if (dispute.isPending) return <RowsSkeleton />;
  if (dispute.isError) {
    const problem = asProblem(dispute.error);
    if (problem.status === 409) {
      return (
        <EmptyState title={problem.detail || t("review.claimedByOther")}>
          <button type="button" onClick={() => void toNext()}>
            {t("review.takeNext")}
          </button>{" "}
          <Link to="/p/$projectId/review" params={{ projectId: project.id }} search={filter}>
            {t("review.back")}
          </Link>
        </EmptyState>
      );
    }
    return <ErrorState error={dispute.error} retry={() => void dispute.refetch()} />;
  }
  return <ReviewDesk key={taskId} project={project} dispute={dispute.data} last={last} onDone={done} />;
}
