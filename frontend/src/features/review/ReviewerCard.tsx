import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import { countsOf } from "@/features/projects/counts";
import type { Project } from "@/api/types";
import card from "@/components/card.module.css";
import { Figure } from "@/components/Figure";
import { dateTime, probability } from "@/lib/format";
import { useDisputes } from "./disputes";
import { Reasons } from "./Reasons";

export function ReviewerCard({ project }: { project: Project }) {
  const { t, i18n } = useTranslation();
  const counts = countsOf(project);
  const query = useDisputes(project.id);
  const first = flatten(query.data).slice(0, 5);
  return (
    <div className={card.card}>
      <Figure value={counts.disputed} label={t("home.disputes")} tone={counts.disputed ? "dispute" : ""} testId="home-disputes" />
      {first.length > 0 ? (
        <div style={{ flex: 1 }} className="tableWrap">
          <table className="list">
            <tbody>
              {first.map((dispute) => (
                <tr key={dispute.task.id}>
                  <td>
                    <Link to="/p/$projectId/review/$taskId" params={{ projectId: project.id, taskId: dispute.task.id }} preload={false}>
                      #{dispute.task.id}
                    </Link>
                  </td>
                  <td>
                    <Reasons reasons={dispute.reasons} fields={project.schema.fields} />
                  </td>
                  <td className="num">{probability(dispute.score)}</td>
                  <td className="num dim">{dateTime(dispute.opened_at, i18n.language)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        query.isSuccess && <span className="dim">{t("review.emptyHint")}</span>
      )}
      <Link to="/p/$projectId/review" params={{ projectId: project.id }}>
        {t("home.allDisputes")} →
      </Link>
    </div>
  );
}
