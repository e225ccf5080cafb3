import { useTranslation } from "react-i18next";
import { show, showInterval } from "./figures";
import type { QualityReport } from "./quality";

/** What sparing second annotators saves, and what it rests on. */
export function Overlap({ overlap }: { overlap: NonNullable<QualityReport["overlap"]> }) {
  const { t } = useTranslation();
  const checked = overlap.spot_checked;
  return (
    <section className="panel" data-testid="overlap">
      <h2 className="panelHead">{t("overlap.title")}</h2>
      <p className={overlap.state === "in_force" ? "agree" : overlap.state === "alarmed" ? "error" : "dim"} data-testid={`overlap-${overlap.state}`}>
        {t(`overlap.state.${overlap.state}`, { limit: show(overlap.limit, "%") })}
      </p>
      <table className="list">
        <tbody>
          <tr>
            <th scope="row">{t("overlap.saved")}</th>
            <td className="num">{show(overlap.saved, "%")}</td>
          </tr>
          <tr>
            <th scope="row">{t("overlap.bound")}</th>
            <td className="num">
              {show(overlap.bound, "%")} <span className="dim">≤ {show(overlap.limit, "%")}</span>
            </td>
          </tr>
          <tr>
            <th scope="row">{t("overlap.audits")}</th>
            <td className="num">{t("overlap.auditsOf", { errors: overlap.errors, audits: overlap.audits })}</td>
          </tr>
          <tr>
            <th scope="row">{t("overlap.next")}</th>
            <td className="num">
              {overlap.gathered} / {overlap.next_look}
            </td>
          </tr>
          <tr>
            <th scope="row">{t("overlap.spotChecked")}</th>
            <td className="num">
              {show(checked.value, "%")} <span className="dim">{showInterval(checked.interval, "%")}</span>
            </td>
          </tr>
        </tbody>
      </table>
    </section>
  );
}
