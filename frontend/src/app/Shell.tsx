import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { Menu, MenuItem } from "@/components/Menu";
import { useListKeys } from "@/components/list/useListKeys";
import { JobsMenu } from "@/features/jobs/JobsMenu";
import { pulseQuery } from "@/features/jobs/pulse";
import { useProjects } from "@/features/projects/projects";
import { rolesAt, useMe } from "@/features/session/session";
import { readOwnKeys, setOwnKeys } from "@/lib/keymap";
import { readStored, writeStored } from "@/lib/storage";
import { AccountMenu } from "./AccountMenu";
import { NetworkLight } from "./NetworkLight";
import { ProjectMenu } from "./ProjectMenu";
import styles from "./Shell.module.css";

const LAST_PROJECT = "wv.project";

interface NavItem {
  label: string;
  to: string;
  /** what is new there */
  count?: number;
}

/** The project in the address, else, on a site's pages, the one last worked on there. */
function useHere(): { project: Project | undefined; siteId: number | undefined; projects: Project[] } {
  const { projectId, siteId } = useParams({ strict: false });
  const projects = useProjects().data ?? [];
  const last = readStored(LAST_PROJECT);
  const project =
    projects.find((one) => one.id === projectId) ??
    projects.filter((one) => siteId === undefined || one.site.id === siteId).sort((a, b) => Number(b.id === last) - Number(a.id === last))[0];
  if (projectId !== undefined && projectId !== last) writeStored(LAST_PROJECT, projectId);
  return { project: projectId !== undefined && project?.id !== projectId ? undefined : project, siteId: siteId ?? project?.site.id, projects };
}

export function Shell() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const me = useMe();
  useEffect(() => setOwnKeys(readOwnKeys(me.shortcuts)), [me.shortcuts]);
  const { project, siteId, projects } = useHere();
  const roles = rolesAt(me, siteId);
  const unread = useQuery({ ...pulseQuery, select: (pulse) => pulse.unread_feedback }).data ?? 0;
  useListKeys();
  const items: NavItem[] = [];
  const inProject = (page: string, label: string) => project && items.push({ label, to: `/p/${project.id}/${page}` });
  const inSite = (page: string, label: string) => siteId !== undefined && items.push({ label, to: `/s/${siteId}/${page}` });
  if (roles.has("annotator")) {
    inProject("label", t("nav.label"));
    items.push({ label: t("feedback.nav"), to: "/feedback", count: unread });
  }
  if (roles.has("reviewer")) inProject("review", t("nav.review"));
  if (roles.has("reviewer") || roles.has("admin")) {
    inProject("tasks", t("nav.tasks"));
    inProject("quality", t("nav.quality"));
    inSite("captures", t("nav.captures"));
    inSite("catalog", t("nav.catalog"));
  }
  if (roles.has("admin")) inSite("admin", t("nav.admin"));

  return (
    <div className={styles.shell}>
      <a className={styles.skipLink} href="#main">
        {t("nav.skip")}
      </a>
      <header className={styles.header}>
        <Link to="/" className={styles.mark} aria-label={t("nav.home")} data-testid="nav-home">
          <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
            <path d="M7 11V7h4M21 7h4v4M25 21v4h-4M11 25H7v-4" fill="none" stroke="currentColor" strokeWidth="2.6" />
            <path d="M11 16.5l3.4 3.4L21 13" fill="none" stroke="var(--wv-machine)" strokeWidth="3" />
          </svg>
        </Link>
        <ProjectMenu projects={projects} current={project} />
        <nav className={styles.nav} aria-label={t("nav.main")}>
          {items.map((item) => (
            <Link key={item.to} to={item.to} className={styles.link} activeProps={{ "data-active": true }} data-testid={`nav-${item.to.split("/").at(-1) ?? ""}`}>
              {item.label}
              {item.count ? (
                <span className={styles.count} aria-label={t("feedback.unread", { count: item.count })}>
                  {item.count}
                </span>
              ) : null}
            </Link>
          ))}
        </nav>
        {items.length > 1 && (
          <div className={styles.burger}>
            <Menu
              trigger={(props) => (
                <button {...props} type="button" className={styles.plain} aria-label={t("nav.main")} data-testid="nav-menu">
                  ☰
                  {unread > 0 && <span className={styles.count}>{unread}</span>}
                </button>
              )}
            >
              {(close) =>
                items.map((item) => (
                  <MenuItem
                    key={item.to}
                    onChoose={() => {
                      close();
                      void navigate({ to: item.to });
                    }}
                  >
                    {item.label}
                    {item.count ? <span className={styles.count}>{item.count}</span> : null}
                  </MenuItem>
                ))
              }
            </Menu>
          </div>
        )}
        <div id="header-slot" className={styles.slot} />
        <JobsMenu />
        <NetworkLight />
        <AccountMenu user={me} />
      </header>
      <main id="main" className={styles.main} tabIndex={-1}>
        <Outlet />
      </main>
    </div>
  );
}
