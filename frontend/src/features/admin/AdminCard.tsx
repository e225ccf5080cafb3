import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import { useQuarantine } from "@/api/quarantine";
import { countsOf } from "@/features/projects/counts";
import type { Project } from "@/api/types";
import card from "@/components/card.module.css";
import { Figure } from "@/components/Figure";
import { dateTime, integer } from "@/lib/format";

export function AdminCard({ project }: { project: Project }) {
  const { t, i18n } = useTranslation();
  const quarantine = useQuarantine(project.site.id);
  const recent = flatten(quarantine.data).slice(0, 3);
  const counts = countsOf(project);
  const site = { siteId: project.site.id };
  const number = (value: number) => integer(value, i18n.language);
  return (
    <div className={card.card}>
      <Figure value={number(counts.total)} label={t("home.tasks")} />
      <Figure value={number(counts.new)} label={t("home.waiting")} tone={counts.new ? "machine" : ""} />
      <Figure value={number(counts.ready + counts.labeling)} label={t("home.toLabel")} />
      <Figure value={number(counts.disputed)} label={t("home.disputes")} tone={counts.disputed ? "dispute" : ""} />
      <Figure value={number(counts.decided)} label={t("home.decided")} tone={counts.decided ? "agree" : ""} />
      <div className={card.links}>
        <Link to="/s/$siteId/captures" params={site}>
          {t(counts.total === 0 ? "home.uploadFirst" : "home.upload")}
        </Link>
        <Link to="/s/$siteId/catalog" params={site}>
          {t("nav.catalog")}
        </Link>
        <Link to="/p/$projectId/quality" params={{ projectId: project.id }}>
          {t("nav.quality")}
        </Link>
        <Link to="/s/$siteId/admin" params={site}>
          {t("nav.admin")}
        </Link>
      </div>
      {recent.length > 0 && (
        <div style={{ flexBasis: "100%" }}>
          <div className="dim">
            {t("home.quarantine")} ·{" "}
            <Link to="/s/$siteId/captures" params={site} search={{ tab: "quarantine" }}>
              {t("common.all")}
            </Link>
          </div>
          <div className="tableWrap">
            <table className="list">
              <tbody>
                {recent.map((file) => (
                  <tr key={file.id}>
                    <td>{file.name}</td>
                    <td className="dispute">{file.detail}</td>
                    <td className="num dim">{dateTime(file.created_at, i18n.language)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </div>
      )}
    </div>
  );
}
