import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Chips } from "@/components/Chips";
import { AnswersTab } from "@/features/answers/AnswersTab";
import type { JobFilter } from "@/features/jobs/jobs";
import { JobsTab } from "@/features/jobs/JobsTab";
import { ModelsTab } from "@/features/training/ModelsTab";
import { AuditTab } from "./AuditTab";
import { MembersTab } from "./MembersTab";
import { TokensTab } from "./TokensTab";

export const ADMIN_TABS = ["projects", "models", "members", "jobs", "answers", "tokens", "audit"] as const;
export type AdminTab = (typeof ADMIN_TABS)[number];

interface Props {
  site: number;
  tab: AdminTab;
  onTab: (tab: AdminTab) => void;
  jobs: JobFilter;
  onJobs: (filter: JobFilter) => void;
  /** the list of projects */
  children: ReactNode;
}

export function AdminPage({ site, tab, onTab, jobs, onJobs, children }: Props) {
  const { t } = useTranslation();
  return (
    <div className="page">
      <div className="pageHead">
        <h1>{t("admin.title")}</h1>
        <Chips label={t("admin.title")} value={tab} onChange={(next) => next && onTab(next)} options={ADMIN_TABS.map((one) => ({ value: one, label: t(`admin.tabs.${one}`), testId: `tab-${one}` }))} />
      </div>
      {tab === "projects" && children}
      {tab !== "projects" && (
        <div className="panel">
          {tab === "models" && <ModelsTab site={site} />}
          {tab === "members" && <MembersTab site={site} />}
          {tab === "jobs" && <JobsTab site={site} filter={jobs} onFilter={onJobs} />}
          {tab === "answers" && <AnswersTab site={site} />}
          {tab === "tokens" && <TokensTab site={site} />}
          {tab === "audit" && <AuditTab site={site} />}
        </div>
      )}
    </div>
  );
}
