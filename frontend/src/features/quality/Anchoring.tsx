import { useTranslation } from "react-i18next";
import { integer } from "@/lib/format";
import { show, showInterval } from "./figures";
import type { Figure, QualityReport } from "./quality";

function Cells({ figure, unit }: { figure: Figure; unit: "%" | "s" }) {
  const { i18n } = useTranslation();
  return (
    <>
      <td className="num">{show(figure.value, unit)}</td>
      <td className="num dim">{showInterval(figure.interval, unit) ?? "–"}</td>
      <td className="num dim">{integer(figure.count, i18n.language)}</td>
    </>
  );
}

/** What seeing the machine's suggestion does to people. */
export function Anchoring({ anchoring }: { anchoring: QualityReport["anchoring"] }) {
  const { t } = useTranslation();
  const { together, independent } = anchoring.spot_checked;
  return (
    <section className="panel" data-testid="anchoring">
      <h2 className="panelHead">{t("quality.anchoring")}</h2>
      <div className="tableWrap">
        <table className="list">
          <thead>
            <tr>
              <th />
              <th className="num" colSpan={3}>
                {t("quality.shown")}
              </th>
              <th className="num" colSpan={3}>
                {t("quality.delayed")}
              </th>
              <th className="num" colSpan={3}>
                {t("quality.withheld")}
              </th>
            </tr>
          </thead>
          <tbody>
            {anchoring.compared.map((row) => (
              <tr key={row.key}>
                <td>{t(`metric.${row.key}.name`)}</td>
                <Cells figure={row.shown} unit={row.key === "time" ? "s" : "%"} />
                <Cells figure={row.delayed} unit={row.key === "time" ? "s" : "%"} />
                <Cells figure={row.withheld} unit={row.key === "time" ? "s" : "%"} />
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p>{t("quality.together", { share: show(anchoring.together.value, "%"), count: anchoring.together.count })}</p>
      <p className="dim">
        {t("quality.togetherWrong", {
          together: show(together.value, "%"),
          togetherRange: showInterval(together.interval, "%") ?? "–",
          independent: show(independent.value, "%"),
          independentRange: showInterval(independent.interval, "%") ?? "–",
        })}
      </p>
    </section>
  );
}
