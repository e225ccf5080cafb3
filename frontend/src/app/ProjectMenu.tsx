import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { Menu, MenuItem, MenuLabel } from "@/components/Menu";
import styles from "./Shell.module.css";

/** Changing the project keeps the page: labeling stays labeling, the catalog becomes the other site's catalog. */
function samePage(path: string, project: Project): string {
  const inProject = /^\/p\/\d+\/(label|review|tasks|quality)/.exec(path);
  if (inProject) return `/p/${project.id}/${inProject[1]}`;
  const inSite = /^\/s\/\d+\/(captures|catalog|admin)/.exec(path);
  if (inSite) return `/s/${project.site.id}/${inSite[1]}`;
  return `/p/${project.id}/label`;
}

export function ProjectMenu({ projects, current }: { projects: Project[]; current: Project | undefined }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const sites = [...new Map(projects.map((project) => [project.site.id, project.site])).values()];
  if (projects.length === 0) return <span className={styles.plain}>WareVision</span>;
  if (projects.length === 1) {
    return (
      <span className={styles.plain} data-testid="project-name">
        {current?.name}
      </span>
    );
  }
  return (
    <Menu
      trigger={(props) => (
        <button {...props} type="button" className={styles.plain} data-testid="project-menu">
          <span className={styles.ellipsis}>{current ? current.name : t("nav.chooseProject")}</span>
          <span className={styles.caret}>▼</span>
        </button>
      )}
    >
      {(close) =>
        sites.map((site) => (
          <div key={site.id} role="group" aria-label={site.name}>
            <MenuLabel>{site.name}</MenuLabel>
            {projects
              .filter((project) => project.site.id === site.id)
              .map((project) => (
                <MenuItem
                  key={project.id}
                  strong={project.id === current?.id}
                  testId={`project-${project.id}`}
                  onChoose={() => {
                    close();
                    void navigate({ to: samePage(window.location.pathname, project) });
                  }}
                >
                  {project.name}
                </MenuItem>
              ))}
          </div>
        ))
      }
    </Menu>
  );
}
