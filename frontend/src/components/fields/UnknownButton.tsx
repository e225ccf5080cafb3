import { Menu } from "@mantine/core";
import { useTranslation } from "react-i18next";
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

export function UnknownButton({ fieldKey, unknown, onUnknown }: Props) {
  const { t } = useTranslation();
  if (unknown) {
    return (
      <button type="button" className={styles.unknown} aria-pressed data-testid={`field-${fieldKey}-unknown`} onClick={() => onUnknown(null)}>
        {t("field.known")}
      </button>
    );
  }
  return (
    <Menu position="bottom-end" withinPortal returnFocus>
      <Menu.Target>
        <button type="button" className={styles.unknown} aria-pressed={false} data-testid={`field-${fieldKey}-unknown`}>
          {t("field.unknown")}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("field.unknownWhy")}</Menu.Label>
        {UNKNOWN_REASONS.map(({ code, value }) => (
          <Menu.Item key={code} onClick={() => onUnknown(value)} data-testid={`field-${fieldKey}-unknown-${code}`}>
            {t(`unknownReason.${code}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

export function UnknownValue({ reason }: { reason: string }) {
  const { t } = useTranslation();
  const known = UNKNOWN_REASONS.find((one) => one.value === reason);
  const words = known ? t(`unknownReason.${known.code}`) : reason;
  return <span className={styles.unknownValue}>{words ? t("field.unknownBecause", { reason: words }) : t("field.unknown")}</span>;
}
