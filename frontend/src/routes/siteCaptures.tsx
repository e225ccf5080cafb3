import { getRouteApi } from "@tanstack/react-router";
import { CapturesPage } from "@/features/captures/CapturesPage";
import { useProjects } from "@/features/projects/projects";
import { rolesAt, useMe } from "@/features/session/session";

const route = getRouteApi("/shell/s/$siteId/captures");

export default function SiteCaptures() {
  const { siteId } = route.useParams();
  const view = route.useSearch();
  const navigate = route.useNavigate();
  const me = useMe();
  const projects = (useProjects().data ?? []).filter((project) => project.site.id === siteId);
  return <CapturesPage key={siteId} site={siteId} projects={projects} view={view} mayUpload={rolesAt(me, siteId).has("admin")} onView={(search) => void navigate({ search })} />;
}
