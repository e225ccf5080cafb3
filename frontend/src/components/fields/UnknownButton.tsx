import { useTranslation } from "react-i18next";
import { Menu, MenuItem, MenuLabel } from "@/components/Menu";
import styles from "./fields.module.css";

/** Reasons as they stand in a caption (看不清(反光)); shown in the person's language. */
export const UNKNOWN_REASONS = [
  { code: "glare", value: "反光" },
  { code: "covered", value: "被遮挡" },
  { code: "blurred", value: "模糊" },
  { code: "outside", value: "不在画面内" },
] as const;

interface Props {
  fieldKey: string;
  unknown: boolean;
  onUnknown: (reason: string | null) => void;
}

/** Out of the Tab order, which leads from field to field; Alt+U reaches it from the field. */
export function UnknownButton({ fieldKey, unknown, onUnknown }: Props) {
  const { t } = useTranslation();
  if (unknown) {
    return (
      <button type="button" tabIndex={-1} title="Alt+U" className={styles.unknown} aria-pressed data-testid={`field-${fieldKey}-unknown`} onClick={() => onUnknown(null)}>
        {t("field.known")}
      </button>
    );
  }
  return (
    <Menu
      align="end"
      trigger={(props) => (
        <button {...props} type="button" tabIndex={-1} title="Alt+U" className={styles.unknown} aria-pressed={false} data-testid={`field-${fieldKey}-unknown`}>
          {t("field.unknown")}
        </button>
      )}
    >
      {(close) => (
        <>
          <MenuLabel>{t("field.unknownWhy")}</MenuLabel>
          {UNKNOWN_REASONS.map(({ code, value }) => (
            <MenuItem
              key={code}
              testId={`field-${fieldKey}-unknown-${code}`}
              onChoose={() => {
                close();
                onUnknown(value);
              }}
            >
              {t(`unknownReason.${code}`)}
            </MenuItem>
          ))}
        </>
      )}
    </Menu>
  );
}

export function UnknownValue({ reason }: { reason: string }) {
  const { t } = useTranslation();
  const known = UNKNOWN_REASONS.find((one) => one.value === reason);
  const words = known ? t(`unknownReason.${known.code}`) : reason;
  return <span className={styles.unknownValue}>{words ? t("field.unknownBecause", { reason: words }) : t("field.unknown")}</span>;
}
