import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import card from "@/components/card.module.css";
import { Markdown } from "@/components/Markdown";
import { Figure } from "@/components/Figure";
import { seconds } from "@/lib/format";
import { TARGET_SECONDS } from "./HeaderStats";
import { RecentList } from "./RecentList";

export function AnnotatorCard({ project }: { project: Project }) {
  const { t } = useTranslation();
  const { open, today, mean_active_seconds: mean } = project.my;
  return (
    <>
    <div className={card.card}>
      {open > 0 ? (
        <Button component={Link} to={`/p/${project.id}/label`} size="lg" data-testid="continue-labeling">
          {t(today > 0 ? "home.continue" : "home.start")}
        </Button>
      ) : (
        <div>
          <b>{t("home.queueEmpty")}</b>
          <div className="dim">{t("home.queueEmptyHint")}</div>
        </div>
      )}
      <Figure value={open} label={t("home.open")} testId="home-queue" />
      <Figure value={today} label={t("home.today")} />
      <Figure value={seconds(mean)} label={t("home.mean", { target: TARGET_SECONDS })} tone={mean !== null && mean > TARGET_SECONDS ? "dispute" : ""} />
      {project.guide && (
        <details>
          <summary>
            {t("home.guide")} {project.my.guide_unread && <span className="tag dispute">{t("guide.changed")}</span>}
          </summary>
          <Markdown text={project.guide} />
        </details>
      )}
    </div>
      <RecentList projectId={project.id} fields={project.schema.fields} />
    </>
  );
}
