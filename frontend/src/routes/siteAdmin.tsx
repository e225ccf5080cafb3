import { getRouteApi } from "@tanstack/react-router";
import { ADMIN_TABS, AdminPage } from "@/features/admin/AdminPage";
import { useProjects } from "@/features/projects/projects";

const route = getRouteApi("/shell/s/$siteId/admin");

export default function SiteAdmin() {
  const { siteId } = route.useParams();
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const projects = (useProjects().data ?? []).filter((project) => project.site.id === siteId);
  return <AdminPage key={siteId} site={siteId} projects={projects} tab={ADMIN_TABS.find((one) => one === tab) ?? "projects"} onTab={(next) => void navigate({ search: { tab: next } })} />;
}
