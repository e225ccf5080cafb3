import { getRouteApi } from "@tanstack/react-router";
import { WithProject } from "@/features/projects/WithProject";
import { QualityPage } from "@/features/quality/QualityPage";

const route = getRouteApi("/shell/p/$projectId/quality");

export default function ProjectQuality() {
  const { projectId } = route.useParams();
  return <WithProject id={projectId}>{(project) => <QualityPage project={project} />}</WithProject>;
}
