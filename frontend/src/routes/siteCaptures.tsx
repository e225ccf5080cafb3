import { getRouteApi } from "@tanstack/react-router";
import { CAMERAS, CAPTURE_SORTS, SUGGESTION_STATES } from "@/features/captures/captures";
import { CAPTURE_TABS, CapturesPage, type CapturesView } from "@/features/captures/CapturesPage";
import { useProjects } from "@/features/projects/projects";
import { rolesAt, useMe } from "@/features/session/session";
import { among } from "@/lib/among";

const route = getRouteApi("/shell/s/$siteId/captures");

export default function SiteCaptures() {
  const { siteId } = route.useParams();
  const search = route.useSearch();
  const view: CapturesView = {
    ...search,
    tab: among(CAPTURE_TABS, search.tab),
    cam: among(CAMERAS, search.cam),
    state: among(SUGGESTION_STATES, search.state),
    sort: among(CAPTURE_SORTS, search.sort),
  };
  const navigate = route.useNavigate();
  const me = useMe();
  const projects = useProjects().data?.filter((project) => project.site.id === siteId);
  return <CapturesPage key={siteId} site={siteId} projects={projects} view={view} mayUpload={rolesAt(me, siteId).has("admin")} onView={(next) => void navigate({ search: next })} />;
}
