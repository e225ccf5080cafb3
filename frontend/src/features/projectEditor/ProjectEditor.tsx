import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { Chips } from "@/components/Chips";
import { BatchesTab } from "./BatchesTab";
import { GuideTab } from "./GuideTab";
import { SchemaTab } from "./SchemaTab";
import { SettingsTab } from "./SettingsTab";
import { SnapshotsTab } from "./SnapshotsTab";

export const EDITOR_TABS = ["settings", "schema", "guide", "batches", "snapshots"] as const;
export type EditorTab = (typeof EDITOR_TABS)[number];

interface Props {
  project: Project;
  tab: EditorTab;
  onTab: (tab: EditorTab) => void;
}

export function ProjectEditor({ project, tab, onTab }: Props) {
  const { t } = useTranslation();
  return (
    <div className="page">
      <div className="pageHead">
        <Link to="/s/$siteId/admin" params={{ siteId: project.site.id }}>
          ← {t("admin.tabs.projects")}
        </Link>
        <h1>{project.name}</h1>
        {project.archived_at && <span className="tag dispute">{t("projects.isArchived")}</span>}
        <Chips label={project.name} value={tab} onChange={(next) => next && onTab(next)} options={EDITOR_TABS.map((one) => ({ value: one, label: t(`projects.tabs.${one}`), testId: `tab-${one}` }))} />
      </div>
      {tab === "settings" && <SettingsTab key={project.id} project={project} />}
      {tab === "schema" && <SchemaTab key={project.id} project={project} />}
      {tab === "guide" && <GuideTab key={project.id} project={project} />}
      {tab === "batches" && <BatchesTab project={project} />}
      {tab === "snapshots" && <SnapshotsTab key={project.id} project={project} />}
    </div>
  );
}
