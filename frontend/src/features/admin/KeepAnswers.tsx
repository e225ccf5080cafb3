import { NativeSelect, NumberInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useProblemText } from "@/components/states";
import { useChangeSiteSettings, useSiteSettings } from "./siteSettings";
import styles from "./admin.module.css";

const KEEP = ["nothing", "answers", "pictures"] as const;
const MOST_DAYS = 3650;

/** What is kept of the machine API's answers, and for how long; changes hold at once. */
export function KeepAnswers({ site }: { site: number }) {
  const { t } = useTranslation();
  const query = useSiteSettings(site);
  const change = useChangeSiteSettings(site);
  const problemText = useProblemText();
  const [days, setDays] = useState<number | string | null>(null);
  const settings = query.data;
  if (!settings) return null;
  const saveDays = () => {
    if (typeof days === "number" && days !== settings.keep_days) change.mutate({ keep_days: days });
    setDays(null);
  };
  return (
    <div className={styles.bar}>
      <NativeSelect
        size="xs"
        w={260}
        label={t("admin.keepAnswers")}
        value={settings.keep_answers}
        disabled={change.isPending}
        onChange={(event) => change.mutate({ keep_answers: KEEP.find((one) => one === event.currentTarget.value) })}
        data={KEEP.map((value) => ({ value, label: t(`admin.keep.${value}`) }))}
        data-testid="keep-answers"
      />
      {settings.keep_answers !== "nothing" && (
        <NumberInput size="xs" w={160} label={t("admin.keepDays")} min={0} max={MOST_DAYS} allowDecimal={false} value={days ?? settings.keep_days} onChange={setDays} onBlur={saveDays} data-testid="keep-days" />
      )}
      {change.error && <p className="error">{problemText(change.error).detail}</p>}
    </div>
  );
}
