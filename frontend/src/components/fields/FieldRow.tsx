import type { KeyboardEvent, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { SchemaField, SkuHit, Suggestion } from "@/api/types";
import { FieldControl } from "./FieldControl";
import { UnknownButton, UnknownValue } from "./UnknownButton";
import { probability } from "@/lib/format";
import { isComposing } from "@/lib/hotkeys";
import { currentLanguage } from "@/lib/i18n";
import { SURE_FROM, type FieldState } from "@/lib/label/document";
import styles from "./fieldRow.module.css";

interface Props {
  field: SchemaField;
  site: number;
  state: FieldState;
  suggestion: Suggestion | null;
  error: string | undefined;
  /** why a person should look before this guess counts; `pressing` once they were asked to */
  doubt?: string;
  pressing?: boolean;
  note: string | undefined;
  onChange: (value: string) => void;
  onSku: (hit: SkuHit) => void;
  /** a digit in the untouched field chooses; false where there is no such number */
  onNumber?: (digit: number) => boolean;
  onBlur: () => void;
  onUnknown: (reason: string | null) => void;
  /** Enter on a doubted guess: it is as proposed */
  onConfirm?: () => void;
  children?: ReactNode;
}

function Provenance({ state, field, suggestion }: Pick<Props, "state" | "field" | "suggestion">) {
  const { t } = useTranslation();
  const proposed = suggestion?.fields[field.key];
  if (state.unknown) return <span className={styles.provenance} />;
  if (state.origin === "repeat") return <span className={styles.provenance}>{t("caption.repeated")}</span>;
  if (state.origin === "catalog" || (state.origin === "machine" && proposed?.source === "catalog")) {
    return <span className={styles.provenance}>{t("field.fromCatalog")}</span>;
  }
  if (state.origin !== "machine" || proposed?.confidence === null || proposed === undefined) return <span className={styles.provenance} />;
  return (
    <span className={styles.provenance} data-machine title={t("field.confidence")}>
      <span className={styles.confidence} data-doubt={proposed.confidence < SURE_FROM || undefined}>
        ◆ {probability(proposed.confidence)}
      </span>
      <span className={styles.bar}>
        <span style={{ width: `${proposed.confidence * 100}%` }} />
      </span>
    </span>
  );
}

export function FieldRow({ field, site, state, suggestion, error, doubt, pressing, note, onChange, onSku, onNumber, onBlur, onUnknown, onConfirm, children }: Props) {
  // the damage scale needs the width; its confidence goes below
  const wide = field.kind === "condition" && !state.unknown;
  const onKeyDown = (event: KeyboardEvent) => {
    if (!onConfirm || event.key !== "Enter" || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented || isComposing(event.nativeEvent)) return;
    if (!(event.target instanceof Element) || !event.target.matches("input, select, [role=radio][aria-checked=true]")) return;
    event.preventDefault();
    onConfirm();
  };
  return (
    // the key belongs to the input inside
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div className={styles.row} data-field={field.key} onKeyDown={onKeyDown}>
      <div className={styles.rowLabel}>
        {field.label[currentLanguage()]}
        {!field.required && <span className="dim"> ·</span>}
      </div>
      <div className={styles.rowControl} data-wide={wide || undefined}>
        {state.unknown ? (
          <UnknownValue reason={state.reason} />
        ) : (
          <FieldControl field={field} site={site} value={state.value} onChange={onChange} onSku={onSku} onNumber={onNumber} onBlur={onBlur} machine={state.origin === "machine"} doubted={doubt !== undefined} invalid={error !== undefined} />
        )}
      </div>
      {!wide && <Provenance state={state} field={field} suggestion={suggestion} />}
      <UnknownButton fieldKey={field.key} unknown={state.unknown} onUnknown={onUnknown} />
      <div className={styles.rowBelow}>
        {error && (
          <div className={styles.fieldError} role="alert" data-testid={`field-${field.key}-error`}>
            {error}
          </div>
        )}
        {wide && (state.origin === "machine" || state.origin === "repeat") && <Provenance state={state} field={field} suggestion={suggestion} />}
        {!error && doubt && (
          <div className={styles.doubt} data-pressing={pressing || undefined} data-testid={`field-${field.key}-doubt`}>
            {doubt}
          </div>
        )}
        {!error && note && (
          <div className={styles.fieldNote} role="status" data-testid={`field-${field.key}-note`}>
            {note}
          </div>
        )}
        {children}
      </div>
    </div>
  );
}
