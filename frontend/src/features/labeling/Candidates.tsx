import { useTranslation } from "react-i18next";
import type { Candidate } from "@/api/types";
import { probability } from "@/lib/format";
import styles from "./labeling.module.css";

/** The machine's ranked guesses, by number. */
export function Candidates({ candidates, chosen, onAdopt }: { candidates: readonly Candidate[]; chosen: string; onAdopt: (candidate: Candidate) => void }) {
  const { t } = useTranslation();
  if (candidates.length === 0) return null;
  return (
    <ol className={styles.candidates} aria-label={t("label.candidates")}>
      {candidates.slice(0, 9).map((candidate, index) => (
        <li key={candidate.sku_code}>
          <button
            type="button"
            tabIndex={-1}
            className={styles.candidate}
            aria-pressed={candidate.sku_code === chosen}
            data-testid={`candidate-${index + 1}`}
            onClick={() => onAdopt(candidate)}
            title={`${candidate.sku_code} ${candidate.name}`}
          >
            <kbd>{index + 1}</kbd>
            <span className={styles.candidateName}>
              <span className="mono">{candidate.sku_code}</span> {candidate.name}
            </span>
            <span className="machine">{probability(candidate.confidence)}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}
