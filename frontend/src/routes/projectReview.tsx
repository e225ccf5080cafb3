import { getRouteApi } from "@tanstack/react-router";
import { WithProject } from "@/features/projects/WithProject";
import { disputeFilter } from "@/features/review/disputes";
import { ReviewListPage } from "@/features/review/ReviewListPage";

const route = getRouteApi("/shell/p/$projectId/review");

export default function ProjectReview() {
  const { projectId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <WithProject id={projectId}>
      {(project) => <ReviewListPage project={project} filter={disputeFilter({ ...search })} cols={search.cols} onFilter={(next) => void navigate({ search: next, replace: true })} />}
    </WithProject>
  );
}
