import { Button } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { Chips } from "@/components/Chips";
import type { Column } from "@/components/list/columns";
import { ListTable } from "@/components/list/ListTable";
import { EmptyState, ErrorState, RowsSkeleton } from "@/components/states";
import { countsOf } from "@/features/projects/counts";
import { useSiteProjects } from "@/features/projects/siteProjects";
import { ColumnsMenu } from "@/features/views/ColumnsMenu";
import { useColumns } from "@/features/views/useColumns";
import { integer } from "@/lib/format";
import { NamingDialog } from "./NamingDialog";
import styles from "./editor.module.css";

/** The projects of a site, and the ways to another one. */
export function ProjectList({ site }: { site: number }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const [archived, setArchived] = useState(false);
  const [naming, setNaming] = useState<{ origin: Project | null } | null>(null);
  const query = useSiteProjects(site, archived);
  const open = (project: Project) => void navigate({ to: "/s/$siteId/admin/projects/$adminProjectId", params: { siteId: site, adminProjectId: project.id } });
  const number = (value: number) => integer(value, i18n.language);
  const columns = useColumns<Project>(
    "projects",
    [
      {
        key: "name",
        label: t("projects.name"),
        fixed: true,
        cell: (project) => (
          <>
            <Link to="/s/$siteId/admin/projects/$adminProjectId" params={{ siteId: site, adminProjectId: project.id }}>
              {project.name}
            </Link>{" "}
            <span className="mono dim">{project.slug}</span>
          </>
        ),
      },
      { key: "fields", label: t("projects.fields"), num: true, cell: (project) => project.schema.fields.length },
      { key: "overlap", label: t("projects.overlap"), num: true, cell: (project) => project.overlap },
      { key: "toLabel", label: t("home.toLabel"), num: true, cell: (project) => number(countsOf(project).new + countsOf(project).ready + countsOf(project).labeling) },
      { key: "disputes", label: t("home.disputes"), num: true, cell: (project) => number(countsOf(project).disputed) },
      { key: "decided", label: t("home.decided"), num: true, cell: (project) => number(countsOf(project).decided) },
      {
        key: "actions",
        label: t("columns.actions"),
        num: true,
        fixed: true,
        cell: (project) => (
          <span className={styles.actions}>
            <a href={`/api/v1/projects/${project.id}/dataset.zip`} download data-testid="dataset-export">
              {t("admin.export")}
            </a>
            <button type="button" className={styles.link} onClick={() => setNaming({ origin: project })} data-testid={`project-clone-${project.slug}`}>
              {t("projects.clone")}
            </button>
          </span>
        ),
      },
    ] satisfies Column<Project>[],
    undefined,
  );
  return (
    <div className="panel">
      <div className={styles.bar}>
        <Chips
          label={t("admin.tabs.projects")}
          value={archived ? "archived" : "active"}
          onChange={(next) => setArchived(next === "archived")}
          options={[
            { value: "active", label: t("projects.active") },
            { value: "archived", label: t("projects.archived"), testId: "projects-archived" },
          ]}
        />
        <span className="spacer" />
        <ColumnsMenu columns={columns} />
        <Button size="xs" onClick={() => setNaming({ origin: null })} data-testid="project-new">
          {t("projects.new")}
        </Button>
      </div>
      {query.isPending && <RowsSkeleton rows={3} />}
      {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
      {query.data?.length === 0 && <EmptyState title={archived ? t("projects.noneArchived") : t("projects.none")}>{archived ? "" : t("projects.noneHint")}</EmptyState>}
      {query.data && query.data.length > 0 && (
        <ListTable columns={columns.shown} rows={query.data} rowKey={(project) => project.id} testId={(project) => `project-row-${project.slug}`} />
      )}
      {naming && <NamingDialog site={site} origin={naming.origin} onDone={open} onClose={() => setNaming(null)} />}
    </div>
  );
}
