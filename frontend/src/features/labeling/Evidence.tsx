import { useTranslation } from "react-i18next";
import type { Suggestion } from "@/api/types";
import { barcodeId, linesWith, votes } from "./evidence";
import styles from "./labeling.module.css";

/** One line that says why: barcodes, words on the pack, look-alikes. Pointing at one lights its place on the photo. */
export function EvidenceLine({ suggestion, code, onLight }: { suggestion: Suggestion; code: string; onLight: (ids: string[]) => void }) {
  const { t } = useTranslation();
  const candidate = suggestion.candidates.find((one) => one.sku_code === code) ?? suggestion.candidates[0];
  const words = candidate?.words ?? [];
  const count = candidate ? votes(suggestion, candidate) : { same: 0, of: 0 };
  const light = (ids: string[]) => ({ onPointerEnter: () => onLight(ids), onPointerLeave: () => onLight([]), onFocus: () => onLight(ids), onBlur: () => onLight([]) });
  if (suggestion.barcodes.length === 0 && words.length === 0 && count.of === 0) return null;
  return (
    <div className={styles.evidence} data-testid="evidence">
      {suggestion.barcodes.map((barcode, index) => (
        <button key={barcodeId(index)} type="button" tabIndex={-1} className={styles.proof} data-doubt={barcode.sku_code === null || undefined} {...light([barcodeId(index)])}>
          {t("evidence.barcode")} {barcode.text}
        </button>
      ))}
      {words.slice(0, 6).map((word) => (
        <button key={word} type="button" tabIndex={-1} className={styles.proof} {...light(linesWith(suggestion, word))}>
          “{word}”
        </button>
      ))}
      {count.of > 0 && <span>{t("evidence.neighbours", count)}</span>}
    </div>
  );
}
