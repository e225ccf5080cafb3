import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Tab } from "@/lib/oneTab";
import styles from "./flow.module.css";

/** The project is labeled in another tab: where that stands, and a way to go on here. */
export function Elsewhere({ tab, onTakeOver }: { tab: Tab & { kind: "elsewhere" }; onTakeOver: () => void }) {
  const { t, i18n } = useTranslation();
  const since = tab.where && new Intl.DateTimeFormat(i18n.language, { hour: "2-digit", minute: "2-digit", hour12: false }).format(tab.where.since);
  return (
    <section className={`panel ${styles.elsewhere ?? ""}`} data-testid="elsewhere">
      <h2>{t(tab.taken ? "flow.elsewhere.taken" : "flow.elsewhere.title")}</h2>
      {tab.where?.text && since && <p>{t("flow.elsewhere.where", { text: tab.where.text, since })}</p>}
      <p className="dim">{t("flow.elsewhere.hint")}</p>
      <Button onClick={onTakeOver} data-autofocus data-testid="take-over">
        {t("flow.elsewhere.takeOver")}
      </Button>
    </section>
  );
}
