import { getRouteApi } from "@tanstack/react-router";
import { ADMIN_TABS, AdminPage } from "@/features/admin/AdminPage";
import { JOB_STATES } from "@/features/jobs/jobs";
import { JOB_KINDS } from "@/features/jobs/JobsTab";
import { ProjectList } from "@/features/projectEditor/ProjectList";
import { among } from "@/lib/among";

const route = getRouteApi("/shell/s/$siteId/admin");

export default function SiteAdmin() {
  const { siteId } = route.useParams();
  const { tab, kind, state } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <AdminPage key={siteId} site={siteId} tab={ADMIN_TABS.find((one) => one === tab) ?? "projects"} onTab={(next) => void navigate({ search: { tab: next } })} jobs={{ kind: among(JOB_KINDS, kind), state: among(JOB_STATES, state) }} onJobs={(next) => void navigate({ search: { tab: "jobs", ...next }, replace: true })}>
      <ProjectList site={siteId} />
    </AdminPage>
  );
}
