import { useTranslation } from "react-i18next";
import type { FieldValues, SchemaField, SkuHit } from "@/api/types";
import { FieldControl } from "@/components/fields/FieldControl";
import { UnknownButton, UnknownValue } from "@/components/fields/UnknownButton";
import { isUnknown } from "@/lib/captions";
import { currentLanguage } from "@/lib/i18n";
import styles from "./review.module.css";

interface Props {
  fields: readonly SchemaField[];
  site: number;
  final: FieldValues;
  errors: Record<string, string>;
  onChange: (key: string, value: string) => void;
  onLeave: (field: SchemaField) => void;
  onUnknown: (key: string, reason: string | null) => void;
  onSku: (hit: SkuHit) => void;
}

/** The final caption, field by field, free to edit. */
export function FinalFields({ fields, site, final, errors, onChange, onLeave, onUnknown, onSku }: Props) {
  const { t } = useTranslation();
  return (
    <div className={styles.final} role="group" aria-label={t("review.final")}>
      {fields.map((field) => {
        const value = final[field.key];
        return (
          <div key={field.key} className={styles.finalRow} data-field={field.key} data-final={field.key}>
            <span className="dim">{field.label[currentLanguage()]}</span>
            <div className={styles.finalValue}>
              {isUnknown(value) ? (
                <UnknownValue reason={value.unknown} />
              ) : (
                <FieldControl field={field} site={site} value={value ?? ""} onChange={(next) => onChange(field.key, next)} onBlur={() => onLeave(field)} onSku={onSku} invalid={errors[field.key] !== undefined} />
              )}
            </div>
            <UnknownButton fieldKey={field.key} unknown={isUnknown(value)} onUnknown={(reason) => onUnknown(field.key, reason)} />
            {errors[field.key] && (
              <span className={styles.finalError} role="alert">
                {errors[field.key]}
              </span>
            )}
          </div>
        );
      })}
    </div>
  );
}
