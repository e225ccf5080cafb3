import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { useActions, useKeyLabel } from "@/lib/keymap";
import { useOffer } from "./offer";
import styles from "./lookalikes.module.css";

/** A line over the photo: so many tasks look the same, and can be answered in one go. */
export function LookalikesOffer({ project, onOpen }: { project: Project; onOpen: () => void }) {
  const { t } = useTranslation();
  const offer = useOffer(project.id, project.lookalikes && !project.boxes_required);
  const keyLabel = useKeyLabel();
  useActions({ lookalikes: onOpen }, offer !== null);
  if (!offer) return null;
  return (
    <div className={styles.offer} data-testid="lookalikes-offer">
      <span>
        <span aria-hidden="true">◆</span> {t("lookalikes.offer", { count: offer.count })} <b>{offer.sku?.name || offer.sku?.code}</b>
      </span>
      <Button size="compact-xs" variant="default" className={styles.machineButton} onClick={onOpen} data-testid="lookalikes-open">
        {t("lookalikes.open")} <kbd>{keyLabel("lookalikes")}</kbd>
      </Button>
    </div>
  );
}
