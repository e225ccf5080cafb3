import { useTranslation } from "react-i18next";
import type { SchemaField, SkuHit } from "@/api/types";
import { currentLanguage } from "@/lib/i18n";
import { CategoryInput } from "./CategoryInput";
import { ConditionPicker } from "./ConditionPicker";
import { SkuInput } from "./SkuInput";
import { TextField } from "./TextField";
import styles from "./fields.module.css";

interface Props {
  field: SchemaField;
  site: number;
  value: string;
  onChange: (value: string) => void;
  onSku: (hit: SkuHit) => void;
  onBlur?: () => void;
  onNumber?: (digit: number) => boolean;
  machine?: boolean;
  doubted?: boolean;
  invalid?: boolean;
  testId?: string;
}

/** The right input for a field's kind; labeling and review edit with the same ones. */
export function FieldControl({ field, site, onSku, onNumber, onBlur, testId = `field-${field.key}`, ...rest }: Props) {
  const { t } = useTranslation();
  const common = { ...rest, onBlur, testId, label: field.label[currentLanguage()] };
  switch (field.kind) {
    case "sku":
      return <SkuInput {...common} site={site} onNumber={onNumber} onPick={onSku} />;
    case "category":
      return <CategoryInput {...common} site={site} />;
    case "condition":
      return <ConditionPicker {...common} />;
    case "spec":
      return <TextField {...common} placeholder="500ml×6瓶/箱" />;
    case "quantity":
      return <TextField {...common} placeholder="1箱" />;
    case "date":
      return <TextField {...common} placeholder="2026-03-01" />;
    case "choice":
      return (
        <select className={styles.input} aria-label={common.label} aria-invalid={rest.invalid || undefined} data-testid={testId} value={rest.value} onChange={(event) => rest.onChange(event.target.value)}>
          <option value="">{t("field.choose")}</option>
          {field.options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      );
    case "text":
      return <TextField {...common} />;
  }
}
