import { getRouteApi } from "@tanstack/react-router";
import { WithProject } from "@/features/projects/WithProject";
import { TASK_STATES, TasksPage } from "@/features/tasks/TasksPage";

const route = getRouteApi("/shell/p/$projectId/tasks");

export default function ProjectTasks() {
  const { projectId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const state = TASK_STATES.find((one) => one === search.state);
  return (
    <WithProject id={projectId}>
      {(project) => <TasksPage project={project} filter={{ ...search, state }} onFilter={(filter) => void navigate({ search: filter, replace: true })} />}
    </WithProject>
  );
}
