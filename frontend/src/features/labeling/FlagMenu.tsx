import { Button } from "@mantine/core";
import { Suspense, lazy, useState } from "react";
import { useTranslation } from "react-i18next";
import { useActions, useKeyLabel } from "@/lib/keymap";
import type { Mark } from "./mark";
import styles from "./flow.module.css";

const FlagDialog = lazy(async () => ({ default: (await import("./FlagDialog")).FlagDialog }));

/** Marks the photo for another look, by a reviewer or by oneself; it is submitted all the same. */
export function FlagMenu({ mark, onMark }: { mark: Mark; onMark: (mark: Mark) => void }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const open = () => setOpened(true);
  const keyLabel = useKeyLabel();
  useActions({ flag: open });
  const label = t(mark.flag ? `flow.flagged.${mark.flag}` : "flow.flag");
  return (
    <>
      <Button variant="default" size="sm" className={styles.flagButton} data-on={mark.flag ? true : undefined} onClick={open} aria-label={label} title={mark.note ? `${label}：${mark.note}` : `${label} (${keyLabel("flag")})`} data-testid="flag">
        <span aria-hidden="true">{mark.flag ? "⚑" : "⚐"}</span>
        <span className={styles.flagLabel}>{label}</span>
      </Button>
      <Suspense>{opened && <FlagDialog mark={mark} onMark={onMark} onClose={() => setOpened(false)} />}</Suspense>
    </>
  );
}
