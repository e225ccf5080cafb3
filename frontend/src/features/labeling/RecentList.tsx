import { useTranslation } from "react-i18next";
import { dateTime, seconds } from "@/lib/format";
import { useRecent } from "./recent";

/** The person's last ten captions. */
export function RecentList({ projectId }: { projectId: number }) {
  const { t, i18n } = useTranslation();
  const { data } = useRecent(projectId);
  if (!data || data.length === 0) return null;
  return (
    <section className="panel">
      <h2 className="panelHead">{t("label.recent")}</h2>
      <div className="tableWrap">
        <table className="list">
          <tbody>
            {data.map((one) => (
              <tr key={one.annotation}>
                <td>
                  {one.thumb && <img className="thumb" src={one.thumb} alt="" loading="lazy" />}
                </td>
                <td className="mono">{one.caption}</td>
                <td>{one.withdrawn_at && <span className="tag">{t("label.withdrawn")}</span>}</td>
                <td className="num">{seconds(one.active_seconds)}</td>
                <td className="num dim">{dateTime(one.created_at, i18n.language)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
