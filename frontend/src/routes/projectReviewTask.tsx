import { getRouteApi } from "@tanstack/react-router";
import { WithProject } from "@/features/projects/WithProject";
import { ReviewTaskPage } from "@/features/review/ReviewTaskPage";

const route = getRouteApi("/shell/p/$projectId/review/$taskId");

export default function ProjectReviewTask() {
  const { projectId, taskId } = route.useParams();
  return <WithProject id={projectId}>{(project) => <ReviewTaskPage key={taskId} project={project} taskId={taskId} />}</WithProject>;
}
