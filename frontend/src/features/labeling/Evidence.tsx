import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Candidate, Suggestion } from "@/api/types";
import { probability } from "@/lib/format";
import { candidateOf, codesRead, dissents, linesWith, votes } from "./evidence";
import styles from "./labeling.module.css";

interface Props {
  suggestion: Suggestion;
  code: string;
  onLight: (ids: string[]) => void;
  onAdopt: (candidate: Candidate) => void;
}

const WORDS = ["pack_text", "words"] as const;
const LOOKS = ["picture", "minigpt"] as const;
/** 'None of these' is told from here on, and is a doubt where it is the more probable. */
const TOLD = 0.1;
const LIKELY = 0.5;

/** One line that says why, each piece with what it alone is sure of; in amber what speaks for another. Pointing lights its place. */
export function EvidenceLine({ suggestion, code, onLight, onAdopt }: Props) {
  const { t } = useTranslation();
  const candidate = candidateOf(suggestion, code);
  const words = candidate?.words ?? [];
  const parts = candidate?.parts ?? {};
  const count = candidate ? votes(suggestion, candidate) : { same: 0, of: 0 };
  const light = (ids: string[]) => ({ onPointerEnter: () => onLight(ids), onPointerLeave: () => onLight([]), onFocus: () => onLight(ids), onBlur: () => onLight([]) });
  const others = dissents(suggestion, code);
  const share = (value: number | undefined): ReactNode => value !== undefined && <span className={styles.share}>{probability(value)}</span>;
  const byWords = Math.max(...WORDS.map((source) => parts[source] ?? -1));
  const strange = suggestion.none ?? 0;
  const missing = suggestion.left_out.map((piece) => t(`evidence.pieces.${piece}`, { defaultValue: piece }));
  if (suggestion.barcodes.length === 0 && Object.keys(parts).length === 0 && strange < TOLD && missing.length === 0) return null;
  return (
    <div className={styles.evidence} data-testid="evidence">
      {codesRead(suggestion).map(({ text, sku, ids }) => (
        <button key={text} type="button" tabIndex={-1} className={styles.proof} data-doubt={sku !== candidate?.sku_code || undefined} {...light(ids)}>
          {t("evidence.barcode")} {text}
          {ids.length > 1 && ` ×${ids.length}`} {sku === candidate?.sku_code ? "✓" : "✗"}
        </button>
      ))}
      {byWords >= 0 && (
        <span className={styles.proofs}>
          {words.length === 0 && t("evidence.words")}
          {words.slice(0, 4).map((word) => (
            <button key={word} type="button" tabIndex={-1} className={styles.proof} {...light(linesWith(suggestion, word))}>
              “{word}”
            </button>
          ))}
          {share(byWords)}
        </span>
      )}
      {count.of > 0 && (
        <span className={styles.proofs}>
          {t("evidence.neighbours", count)}
          {share(parts.neighbours)}
        </span>
      )}
      {LOOKS.map(
        (source) =>
          parts[source] !== undefined && (
            <span key={source} className={styles.proofs}>
              {t(`evidence.${source}`)}
              {share(parts[source])}
            </span>
          ),
      )}
      {strange >= TOLD && (
        <span className={styles.proof} data-doubt={strange >= LIKELY || undefined} data-testid="none-of-these">
          {t("evidence.none")} {probability(strange)}
        </span>
      )}
      {missing.length > 0 && (
        <span className={styles.proof} data-doubt title={t("evidence.late")} data-testid="left-out">
          {t("evidence.leftOut", { pieces: missing.join(t("evidence.and")) })}
        </span>
      )}
      {others.map(({ source, number, candidate: other, confidence }) => (
        <button key={source} type="button" tabIndex={-1} className={styles.proof} data-doubt data-testid={`dissent-${source}`} title={`${other.sku_code} ${other.name}`} onClick={() => onAdopt(other)}>
          {t("evidence.dissent", { source: t(`evidence.source.${source}`), number })} {probability(confidence)}
        </button>
      ))}
    </div>
  );
}
