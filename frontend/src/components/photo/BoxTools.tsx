import { useTranslation } from "react-i18next";
import { useKeyLabel } from "@/lib/keymap";
import type { StageBox } from "./types";
import styles from "./PhotoStage.module.css";

interface Props {
  box: StageBox;
  onDuplicate: () => void;
  onLock?: () => void;
  onDelete: () => void;
}

/** What can be done with the selected box, for fingers and for eyes that look for the keys. */
export function BoxTools({ box, onDuplicate, onLock, onDelete }: Props) {
  const { t } = useTranslation();
  const keyLabel = useKeyLabel();
  return (
    <div className={styles.boxTools} role="toolbar" aria-label={t("canvas.box")} data-testid="box-tools" onPointerDown={(event) => event.stopPropagation()}>
      <span className="dim">
        {Math.round(box.w)}×{Math.round(box.h)}
      </span>
      <button type="button" data-testid="box-duplicate" onClick={onDuplicate}>
        {t("canvas.duplicate")} <kbd>{keyLabel("duplicate")}</kbd>
      </button>
      {onLock && (
        <button type="button" aria-pressed={box.locked ?? false} data-testid="box-lock" onClick={onLock}>
          {box.locked ? t("canvas.unlock") : t("canvas.lock")} <kbd>{keyLabel("lock")}</kbd>
        </button>
      )}
      <button type="button" disabled={box.locked} data-testid="box-delete" onClick={onDelete}>
        {t("canvas.remove")} <kbd>{keyLabel("remove")}</kbd>
      </button>
    </div>
  );
}
