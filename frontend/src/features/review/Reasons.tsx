import { useTranslation } from "react-i18next";
import type { DisputeReason, SchemaField } from "@/api/types";
import { currentLanguage } from "@/lib/i18n";

/** Why it is disputed, in words. */
export function Reasons({ reasons, fields }: { reasons: readonly DisputeReason[]; fields: readonly SchemaField[] }) {
  const { t } = useTranslation();
  const nameOf = (key: string | null) => fields.find((field) => field.key === key)?.label[currentLanguage()] ?? key ?? "";
  return (
    <>
      {reasons.map((reason, index) => (
        <span key={index} className="tag dispute">
          {t(`disputeReason.${reason.code}`, { ...reason.params, field: nameOf(reason.field), defaultValue: reason.field ? t("disputeReason.field_differs", { field: nameOf(reason.field) }) : reason.code })}
        </span>
      ))}
    </>
  );
}
