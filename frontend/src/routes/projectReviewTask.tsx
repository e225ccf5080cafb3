import { getRouteApi } from "@tanstack/react-router";
import { WithProject } from "@/features/projects/WithProject";
import { disputeFilter } from "@/features/review/disputes";
import { ReviewTaskPage } from "@/features/review/ReviewTaskPage";

const route = getRouteApi("/shell/p/$projectId/review/$taskId");

export default function ProjectReviewTask() {
  const { projectId, taskId } = route.useParams();
  const search = route.useSearch();
  return <WithProject id={projectId}>{(project) => <ReviewTaskPage project={project} taskId={taskId} filter={disputeFilter({ ...search })} />}</WithProject>;
}
