import { Modal } from "@mantine/core";
import { useTranslation } from "react-i18next";
import styles from "./labeling.module.css";

const KEYS: [string, string][] = [
  ["Ctrl ⏎", "submit"],
  ["1 – 9", "candidate"],
  ["Alt 1 – 9", "candidateAnywhere"],
  ["Shift 1 – 5", "condition"],
  ["Alt U", "unknown"],
  ["Alt S", "skip"],
  ["Esc", "leaveField"],
  ["Ctrl Z / Ctrl Shift Z", "undo"],
  ["V / H / R", "tools"],
  ["Space", "pan"],
  ["F / 0", "fit"],
  ["+ / −", "zoom"],
  ["← ↑ → ↓ (Shift ×10)", "nudge"],
  ["Delete", "remove"],
  ["[ / ]", "sides"],
  ["O / B", "layers"],
  ["?", "help"],
];

export function ShortcutHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal opened={opened} onClose={onClose} title={t("help.title")} size="lg">
      <dl className={styles.shortcuts} data-testid="shortcuts">
        {KEYS.map(([keys, name]) => (
          <div key={name}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{t(`help.keys.${name}`)}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
