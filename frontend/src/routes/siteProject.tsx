import { getRouteApi } from "@tanstack/react-router";
import { EDITOR_TABS, ProjectEditor } from "@/features/projectEditor/ProjectEditor";
import { WithProject } from "@/features/projects/WithProject";

const route = getRouteApi("/shell/s/$siteId/admin/projects/$adminProjectId");

export default function SiteProject() {
  const { adminProjectId } = route.useParams();
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <WithProject id={adminProjectId}>
      {(project) => <ProjectEditor project={project} tab={EDITOR_TABS.find((one) => one === tab) ?? "settings"} onTab={(next) => void navigate({ search: { tab: next } })} />}
    </WithProject>
  );
}
