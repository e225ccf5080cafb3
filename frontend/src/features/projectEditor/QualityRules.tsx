import { NumberInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import styles from "./editor.module.css";

export type Rules = NonNullable<Project["quality"]>;

/** Shares are shown in %, as people speak of them. */
const SHARES = [
  { key: "gold_rate", max: 100, step: 1 },
  { key: "newcomer_gold_rate", max: 100, step: 1 },
  { key: "spot_half_width", max: 50, step: 0.1 },
  { key: "spot_most", max: 100, step: 1 },
  { key: "single_limit", max: 20, step: 0.1 },
  { key: "audit_share", max: 100, step: 1 },
] as const;
export const THRESHOLDS = ["completeness", "completeness_decided", "sku_accuracy", "quantity_consistency", "fluency", "time", "spot_check_error", "gold"] as const;

interface Props {
  rules: Rules;
  errorOf: (key: string) => string | undefined;
  onChange: (rules: Rules) => void;
}

/** What a project asks of quality: gold tasks, spot checks, when one answer does, what passes. */
export function QualityRules({ rules, errorOf, onChange }: Props) {
  const { t } = useTranslation();
  return (
    <>
      <h3 className={styles.wide}>{t("rules.title")}</h3>
      {SHARES.map(({ key, ...range }) => (
        <NumberInput
          key={key}
          size="xs"
          min={0}
          {...range}
          decimalScale={2}
          suffix=" %"
          label={t(`rules.${key}`)}
          description={t(`rules.${key}Hint`)}
          value={Math.round(rules[key] * 1e6) / 1e4}
          error={errorOf(`quality.${key}`)}
          onChange={(value) => value !== "" && onChange({ ...rules, [key]: Math.round(Number(value) * 1e4) / 1e6 })}
          data-testid={`rule-${key}`}
        />
      ))}
      <NumberInput size="xs" min={0} max={200} allowDecimal={false} label={t("rules.newcomer_tasks")} description={t("rules.newcomer_tasksHint")} value={rules.newcomer_tasks} error={errorOf("quality.newcomer_tasks")} onChange={(value) => value !== "" && onChange({ ...rules, newcomer_tasks: Number(value) })} data-testid="rule-newcomer_tasks" />
      <h3 className={styles.wide}>{t("rules.thresholds")}</h3>
      {THRESHOLDS.map((key) => (
        <NumberInput
          key={key}
          size="xs"
          min={0}
          max={key === "time" ? 3600 : 100}
          decimalScale={2}
          label={t(`metric.${key}.name`)}
          value={rules.thresholds[key] ?? ""}
          placeholder={t("rules.usual")}
          error={errorOf(`quality.thresholds.${key}`)}
          onChange={(value) => {
            const others = Object.entries(rules.thresholds).filter(([name]) => name !== key);
            const own = value === "" ? [] : [[key, Number(value)] as const];
            onChange({ ...rules, thresholds: Object.fromEntries([...others, ...own]) });
          }}
          data-testid={`threshold-${key}`}
        />
      ))}
    </>
  );
}
