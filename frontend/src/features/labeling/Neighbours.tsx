import { useTranslation } from "react-i18next";
import type { Neighbour } from "@/api/types";
import { probability } from "@/lib/format";
import styles from "./labeling.module.css";

/** Look-alikes from the catalog and from decided photos; Enter adopts the focused one. */
export function Neighbours({ neighbours, onAdopt }: { neighbours: readonly Neighbour[]; onAdopt: (neighbour: Neighbour) => void }) {
  const { t } = useTranslation();
  return (
    <section className={styles.neighbours} aria-label={t("label.neighbours")}>
      <div className={styles.neighboursHead}>
        {t("label.neighbours")}
        <span className="dim">{t("label.neighboursHint")}</span>
      </div>
      <div className={styles.strip}>
        {neighbours.slice(0, 8).map((neighbour, index) => (
          <button key={index} type="button" className={styles.neighbour} data-testid={`neighbour-${index + 1}`} onClick={() => onAdopt(neighbour)} title={`${neighbour.sku_code} ${neighbour.name} ${probability(neighbour.similarity)}`}>
            {neighbour.picture ? <img src={neighbour.picture} alt="" loading="lazy" /> : <span className={styles.noPicture} />}
            <span className={styles.neighbourName}>{neighbour.name}</span>
            <span className={styles.similarity}>{probability(neighbour.similarity)}</span>
          </button>
        ))}
      </div>
    </section>
  );
}
