import { getRouteApi } from "@tanstack/react-router";
import { WithProject } from "@/features/projects/WithProject";
import { MyRecordPage } from "@/features/quality/PersonPage";

const route = getRouteApi("/shell/p/$projectId/mine");

export default function ProjectMine() {
  const { projectId } = route.useParams();
  return <WithProject id={projectId}>{(project) => <MyRecordPage project={project} />}</WithProject>;
}
