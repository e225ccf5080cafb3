import { useTranslation } from "react-i18next";
import type { SchemaField } from "@/api/types";
import { findingMessage, type Finding } from "@/lib/captions";
import { currentLanguage } from "@/lib/i18n";
import { useKeyLabel } from "@/lib/keymap";
import styles from "./labeling.module.css";

interface Props {
  fields: readonly SchemaField[];
  found: readonly Finding[];
  onMend: () => void;
}

/** What reads badly in the caption; one key mends the first that can be. */
export function LanguageHints({ fields, found, onMend }: Props) {
  const { t } = useTranslation();
  const keyLabel = useKeyLabel();
  const first = found.find((one) => one.fix !== null) ?? found[0];
  if (!first) return null;
  const language = currentLanguage();
  const name = fields.find((field) => field.key === first.field)?.label[language] ?? first.field;
  return (
    <p className={styles.flag} data-testid={`finding-${first.rule}`}>
      {name}：{findingMessage(first, language)}{" "}
      {first.fix !== null && (
        <button type="button" tabIndex={-1} className={styles.offer} data-testid="mend" onClick={onMend}>
          {t("caption.mend", { value: first.fix })} <kbd>{keyLabel("mend")}</kbd>
        </button>
      )}
    </p>
  );
}
