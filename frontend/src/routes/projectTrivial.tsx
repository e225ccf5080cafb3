import { getRouteApi } from "@tanstack/react-router";
import { WithProject } from "@/features/projects/WithProject";
import { TRIVIAL_KINDS } from "@/features/review/trivial";
import { TrivialPage } from "@/features/review/TrivialPage";
import { among } from "@/lib/among";

const route = getRouteApi("/shell/p/$projectId/review/trivial");

export default function ProjectTrivial() {
  const { projectId } = route.useParams();
  const { kind } = route.useSearch();
  const navigate = route.useNavigate();
  return <WithProject id={projectId}>{(project) => <TrivialPage project={project} kind={among(TRIVIAL_KINDS, kind)} onKind={(next) => void navigate({ search: { kind: next }, replace: true })} />}</WithProject>;
}
