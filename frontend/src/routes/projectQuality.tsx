import { getRouteApi } from "@tanstack/react-router";
import { WithProject } from "@/features/projects/WithProject";
import { QualityPage } from "@/features/quality/QualityPage";
import { rolesAt, useMe } from "@/features/session/session";

const route = getRouteApi("/shell/p/$projectId/quality");

export default function ProjectQuality() {
  const { projectId } = route.useParams();
  const me = useMe();
  return <WithProject id={projectId}>{(project) => <QualityPage project={project} mayCheck={rolesAt(me, project.site.id).has("reviewer")} />}</WithProject>;
}
