import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { Chips } from "@/components/Chips";
import { EmptyState } from "@/components/states";
import { AuditTab } from "./AuditTab";
import { MembersTab } from "./MembersTab";
import { ProjectSettings } from "./ProjectSettings";
import { TokensTab } from "./TokensTab";
import styles from "./admin.module.css";

export const ADMIN_TABS = ["projects", "members", "tokens", "audit"] as const;
export type AdminTab = (typeof ADMIN_TABS)[number];

interface Props {
  site: number;
  projects: readonly Project[];
  tab: AdminTab;
  onTab: (tab: AdminTab) => void;
}

export function AdminPage({ site, projects, tab, onTab }: Props) {
  const { t } = useTranslation();
  return (
    <div className="page">
      <div className="pageHead">
        <h1>{t("admin.title")}</h1>
        <Chips label={t("admin.title")} value={tab} onChange={(next) => next && onTab(next)} options={ADMIN_TABS.map((one) => ({ value: one, label: t(`admin.tabs.${one}`), testId: `tab-${one}` }))} />
      </div>
      {tab === "projects" && (
        <div className={styles.stack}>
          {projects.length === 0 && <EmptyState title={t("admin.noProjects")}>{t("admin.noProjectsHint")}</EmptyState>}
          {projects.map((project) => (
            <ProjectSettings key={project.id} project={project} />
          ))}
        </div>
      )}
      {tab !== "projects" && (
        <div className="panel">
          {tab === "members" && <MembersTab site={site} />}
          {tab === "tokens" && <TokensTab site={site} />}
          {tab === "audit" && <AuditTab site={site} />}
        </div>
      )}
    </div>
  );
}
