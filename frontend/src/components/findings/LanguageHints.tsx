import { useTranslation } from "react-i18next";
import type { SchemaField } from "@/api/types";
import offer from "@/components/offer.module.css";
import { findingMessage, type Finding } from "@/lib/captions";
import { currentLanguage } from "@/lib/i18n";
import { useKeyLabel } from "@/lib/keymap";
import { firstMendable, inTurn } from "./findings";
import styles from "./findings.module.css";

const MOST = 3;

interface Props {
  fields: readonly SchemaField[];
  found: readonly Finding[];
  onMend: (finding: Finding) => void;
}

/** What reads badly in the caption or differs from the catalog and the picture; one key mends the first that can be. */
export function LanguageHints({ fields, found, onMend }: Props) {
  const { t } = useTranslation();
  const keyLabel = useKeyLabel();
  const language = currentLanguage();
  const first = firstMendable(found);
  return inTurn(found)
    .slice(0, MOST)
    .map((one) => (
      <p key={`${one.field} ${one.rule} ${String(one.start)}`} className={styles.finding} data-testid={`finding-${one.rule}`}>
        {fields.find((field) => field.key === one.field)?.label[language] ?? one.field}：{findingMessage(one, language)}{" "}
        {one.fix !== null && (
          <button type="button" tabIndex={-1} className={offer.offer} data-testid={one === first ? "mend" : undefined} onClick={() => onMend(one)}>
            {t("caption.mend", { value: one.fix })} {one === first && <kbd>{keyLabel("mend")}</kbd>}
          </button>
        )}
      </p>
    ));
}
