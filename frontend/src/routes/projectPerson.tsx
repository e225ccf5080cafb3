import { getRouteApi } from "@tanstack/react-router";
import { WithProject } from "@/features/projects/WithProject";
import { PersonPage } from "@/features/quality/PersonPage";
import { rolesAt, useMe } from "@/features/session/session";

const route = getRouteApi("/shell/p/$projectId/quality/$userId");

export default function ProjectPerson() {
  const { projectId, userId } = route.useParams();
  const me = useMe();
  return <WithProject id={projectId}>{(project) => <PersonPage project={project} userId={userId} mayChange={rolesAt(me, project.site.id).has("admin")} />}</WithProject>;
}
