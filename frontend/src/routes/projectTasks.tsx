import { getRouteApi } from "@tanstack/react-router";
import { useProjects } from "@/features/projects/projects";
import { WithProject } from "@/features/projects/WithProject";
import { rolesAt, useMe } from "@/features/session/session";
import { TASK_STATES, TasksPage } from "@/features/tasks/TasksPage";
import { among } from "@/lib/among";
import { TASK_SORTS, TASK_SOURCES, type TaskFilter } from "@/features/tasks/tasks";

const route = getRouteApi("/shell/p/$projectId/tasks");

export default function ProjectTasks() {
  const { projectId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const me = useMe();
  const projects = useProjects().data ?? [];
  const { cols, ...wanted } = search;
  const filter: TaskFilter = {
    ...wanted,
    state: among(TASK_STATES, search.state),
    priority: among(["urgent"] as const, search.priority),
    source: among(TASK_SOURCES, search.source),
    sort: among(TASK_SORTS, search.sort),
  };
  return (
    <WithProject id={projectId}>
      {(project) => (
        <TasksPage
          project={project}
          others={projects.filter((one) => one.site.id === project.site.id && one.id !== project.id)}
          mayBulk={rolesAt(me, project.site.id).has("admin")}
          filter={filter}
          cols={cols}
          onFilter={(next) => void navigate({ search: next, replace: true })}
        />
      )}
    </WithProject>
  );
}
