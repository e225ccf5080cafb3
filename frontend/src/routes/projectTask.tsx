import { getRouteApi } from "@tanstack/react-router";
import { WithProject } from "@/features/projects/WithProject";
import { rolesAt, useMe } from "@/features/session/session";
import { TaskPage } from "@/features/tasks/TaskPage";

const route = getRouteApi("/shell/p/$projectId/tasks/$taskId");

export default function ProjectTask() {
  const { projectId, taskId } = route.useParams();
  const me = useMe();
  return (
    <WithProject id={projectId}>
      {(project) => {
        const roles = rolesAt(me, project.site.id);
        return <TaskPage key={taskId} project={project} taskId={taskId} canReopen={roles.has("reviewer") || roles.has("admin")} />;
      }}
    </WithProject>
  );
}
