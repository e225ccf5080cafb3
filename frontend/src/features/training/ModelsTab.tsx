import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { GatePanel } from "./GatePanel";
import { RunsPanel } from "./RunsPanel";
import { SchedulePanel } from "./SchedulePanel";
import { VersionsPanel } from "./VersionsPanel";
import styles from "./training.module.css";

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles.section} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** What a site's suggestions are made with, how it was taught, and what it takes to replace it. */
export function ModelsTab({ site }: { site: number }) {
  const { t } = useTranslation();
  return (
    <>
      <Section title={t("training.versions")}>
        <VersionsPanel site={site} />
      </Section>
      <Section title={t("training.runs")}>
        <RunsPanel site={site} />
      </Section>
      <Section title={t("training.schedule")}>
        <SchedulePanel site={site} />
      </Section>
      <Section title={t("training.gate")}>
        <GatePanel site={site} />
      </Section>
    </>
  );
}
