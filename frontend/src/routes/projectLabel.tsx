import { getRouteApi } from "@tanstack/react-router";
import { LabelingPage } from "@/features/labeling/LabelingPage";
import { WithProject } from "@/features/projects/WithProject";
import { useMe } from "@/features/session/session";

const route = getRouteApi("/shell/p/$projectId/label");

export default function ProjectLabel() {
  const { projectId } = route.useParams();
  const me = useMe();
  return <WithProject id={projectId}>{(project) => <LabelingPage key={project.id} project={project} userId={me.id} />}</WithProject>;
}
