import { getRouteApi } from "@tanstack/react-router";
import { WithProject } from "@/features/projects/WithProject";
import { SpotChecksPage } from "@/features/spotChecks/SpotChecksPage";

const route = getRouteApi("/shell/p/$projectId/spot-checks");

export default function ProjectSpotChecks() {
  const { projectId } = route.useParams();
  return <WithProject id={projectId}>{(project) => <SpotChecksPage project={project} />}</WithProject>;
}
