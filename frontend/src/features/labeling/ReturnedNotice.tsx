import { useTranslation } from "react-i18next";
import type { Assignment } from "@/api/types";
import styles from "./labeling.module.css";

/** Why an answer is in its author's hands again. */
export function ReturnedNotice({ returned }: { returned: NonNullable<Assignment["returned"]> }) {
  const { t } = useTranslation();
  return (
    <div className={styles.banner} data-tone="dispute" data-testid="returned-banner">
      <span>{returned.note ? t("feedback.returned", { note: returned.note }) : t("feedback.returnedSchema")}</span>
    </div>
  );
}
