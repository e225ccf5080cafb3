import { useTranslation } from "react-i18next";
import { AdminCard } from "@/features/admin/AdminCard";
import { AnnotatorCard } from "@/features/labeling/AnnotatorCard";
import { SiteNextCard } from "@/features/labeling/SiteNextCard";
import { useProjects } from "@/features/projects/projects";
import { ReviewerCard } from "@/features/review/ReviewerCard";
import { rolesAt, useMe } from "@/features/session/session";
import { EmptyState, ErrorState, RowsSkeleton } from "@/components/states";

export default function Home() {
  const { t } = useTranslation();
  const me = useMe();
  const query = useProjects();
  if (query.isPending) return <RowsSkeleton rows={4} height={120} />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  const projects = query.data;
  const sites = me.memberships.map((membership) => membership.site);
  const turns = sites.filter((site) => rolesAt(me, site.id).has("annotator") && projects.filter((project) => project.site.id === site.id && project.share > 0).length > 1);
  return (
    <div className="page">
      {projects.length === 0 && sites.length === 0 && <EmptyState title={t("home.nothing")}>{t("home.nothingHint")}</EmptyState>}
      {turns.map((site) => (
        <SiteNextCard key={site.id} site={site} />
      ))}
      {projects.map((project) => {
        const roles = rolesAt(me, project.site.id);
        return (
          <section key={project.id} aria-label={project.name} data-testid={`home-project-${project.id}`}>
            <div className="pageHead">
              <h1>{project.name}</h1>
              <span className="dim">{project.site.name}</span>
            </div>
            {roles.has("annotator") && <AnnotatorCard project={project} />}
            {roles.has("reviewer") && <ReviewerCard project={project} />}
            {roles.has("admin") && <AdminCard project={project} />}
          </section>
        );
      })}
    </div>
  );
}
