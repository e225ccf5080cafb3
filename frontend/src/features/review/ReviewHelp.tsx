import { Modal } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useKeyLabel } from "@/lib/keymap";
import styles from "./review.module.css";

const KEYS = [
  ["A / B / C / M / W", "pick"],
  ["Shift A / B / C", "pickAll"],
  ["↑ ↓", "row"],
  ["E", "edit"],
  ["N", "note"],
  ["Ctrl ⏎", "decide"],
  ["Alt B", "sendBack"],
  ["Alt X", "reject"],
  ["[ / ]", "sides"],
  ["+ / − / F", "zoom"],
  ["Esc", "leave"],
  ["?", "help"],
] as const;

export function ReviewHelp({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const keyLabel = useKeyLabel();
  return (
    <Modal opened onClose={onClose} title={t("help.title")} size="lg">
      <dl className={styles.shortcuts} data-testid="shortcuts">
        {[...KEYS, [keyLabel("mend"), "mend"] as const, [keyLabel("heat"), "heat"] as const].map(([keys, name]) => (
          <div key={name}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{t(`review.keys.${name}`)}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
