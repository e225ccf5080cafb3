import { getRouteApi } from "@tanstack/react-router";
import { WithProject } from "@/features/projects/WithProject";
import { ReviewListPage } from "@/features/review/ReviewListPage";

const route = getRouteApi("/shell/p/$projectId/review");

export default function ProjectReview() {
  const { projectId } = route.useParams();
  return <WithProject id={projectId}>{(project) => <ReviewListPage project={project} />}</WithProject>;
}
