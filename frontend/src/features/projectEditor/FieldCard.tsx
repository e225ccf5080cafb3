import { useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import type { SchemaField } from "@/api/types";
import { isComposing } from "@/lib/hotkeys";
import { KINDS, readOptions, type DraftField } from "./schemaDraft";
import styles from "./editor.module.css";

const LANGUAGES = ["zh", "en", "ja"] as const;

interface Props {
  field: DraftField;
  index: number;
  count: number;
  /** of all weights together */
  weights: number;
  errors: Record<string, string>;
  onChange: (edit: Partial<SchemaField>, what: string) => void;
  onMove: (to: number) => void;
  /** another field, by id, was let go over this one */
  onDrop: (id: string) => void;
  onRemove: () => void;
  onSeal: () => void;
}

/** One field of the schema; Alt with an arrow moves it, and so does its handle. */
export function FieldCard({ field, index, count, weights, errors, onChange, onMove, onDrop, onRemove, onSeal }: Props) {
  const { t } = useTranslation();
  const [over, setOver] = useState(false);
  // lines are tidied on leaving, not under the cursor
  const [options, setOptions] = useState<string | null>(null);
  const errorOf = (property: string) => errors[`${index}.${property}`];
  const shown = [...new Set(Object.entries(errors).flatMap(([place, message]) => (place.startsWith(`${index}.`) ? [message] : [])))];
  const invalid = (property: string) => errorOf(property) !== undefined || undefined;
  const onKeyDown = (event: KeyboardEvent) => {
    if (!event.altKey || event.ctrlKey || event.metaKey || isComposing(event.nativeEvent)) return;
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    onMove(index + (event.key === "ArrowUp" ? -1 : 1));
  };
  return (
    // the keys are a shortcut to the buttons inside
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <li
      className={styles.field}
      data-testid={`field-card-${field.key}`}
      data-over={over || undefined}
      data-invalid={shown.length > 0 || undefined}
      onKeyDown={onKeyDown}
      onBlur={onSeal}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        onDrop(event.dataTransfer.getData("text/plain"));
      }}
    >
      <span
        className={styles.handle}
        draggable
        aria-hidden="true"
        title={t("schema.drag")}
        onDragStart={(event) => {
          event.dataTransfer.setData("text/plain", field.id);
          event.dataTransfer.effectAllowed = "move";
        }}
      >
        ⠿
      </span>
      <div className={styles.inputs}>
        {LANGUAGES.map((language) => (
          <label key={language}>
            {t(`schema.label.${language}`)}
            <input
              type="text"
              value={field.label[language]}
              maxLength={60}
              aria-invalid={invalid(`label.${language}`) ?? invalid("label")}
              data-testid={`${field.key}-label-${language}`}
              onChange={(event) => onChange({ label: { ...field.label, [language]: event.currentTarget.value } }, `label.${language}`)}
            />
          </label>
        ))}
        <label>
          {t("schema.key")}
          <input type="text" className="mono" value={field.key} maxLength={40} spellCheck={false} aria-invalid={invalid("key")} data-testid={`${field.key}-key`} onChange={(event) => onChange({ key: event.currentTarget.value }, "key")} />
        </label>
        <label>
          {t("admin.kind")}
          <select value={field.kind} aria-invalid={invalid("kind")} data-testid={`${field.key}-kind`} onChange={(event) => onChange({ kind: event.currentTarget.value as SchemaField["kind"] }, "kind")}>
            {KINDS.map((kind) => (
              <option key={kind} value={kind}>
                {t(`kind.${kind}`)}
              </option>
            ))}
          </select>
        </label>
        <span className={styles.pair}>
          <label>
            {t("admin.weight")} <span className="dim">{weights > 0 ? `${Math.round((field.weight / weights) * 100)}%` : ""}</span>
            <input
              type="number"
              min={0}
              max={100}
              step={0.05}
              value={field.weight}
              aria-invalid={invalid("weight")}
              data-testid={`${field.key}-weight`}
              onChange={(event) => onChange({ weight: Math.max(0, Number(event.currentTarget.value) || 0) }, "weight")}
            />
          </label>
          <label className={styles.check}>
            <input type="checkbox" checked={field.required} data-testid={`${field.key}-required`} onChange={(event) => onChange({ required: event.currentTarget.checked }, "required")} /> {t("admin.required")}
          </label>
        </span>
        {field.kind === "choice" && (
          <label className={styles.wide}>
            {t("schema.options")}
            <textarea
              rows={Math.min(Math.max(field.options.length + 1, 3), 8)}
              value={options ?? field.options.join("\n")}
              aria-invalid={invalid("options")}
              data-testid={`${field.key}-options`}
              onChange={(event) => {
                setOptions(event.currentTarget.value);
                onChange({ options: readOptions(event.currentTarget.value) }, "options");
              }}
              onBlur={() => setOptions(null)}
            />
          </label>
        )}
        {shown.map((message) => (
          <p key={message} className={`error ${styles.wide ?? ""}`} role="alert" data-testid={`${field.key}-error`}>
            {message}
          </p>
        ))}
      </div>
      <span className={styles.buttons}>
        <button type="button" aria-label={t("schema.up")} title={`${t("schema.up")} (Alt ↑)`} disabled={index === 0} onClick={() => onMove(index - 1)} data-testid={`${field.key}-up`}>
          ↑
        </button>
        <button type="button" aria-label={t("schema.down")} title={`${t("schema.down")} (Alt ↓)`} disabled={index === count - 1} onClick={() => onMove(index + 1)} data-testid={`${field.key}-down`}>
          ↓
        </button>
        <button type="button" aria-label={t("schema.remove")} title={t("schema.remove")} disabled={count === 1} onClick={onRemove} data-testid={`${field.key}-remove`}>
          ×
        </button>
      </span>
    </li>
  );
}
