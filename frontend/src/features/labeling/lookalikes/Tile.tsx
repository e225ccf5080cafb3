import type { KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import type { Assignment, SchemaField } from "@/api/types";
import { CONDITIONS, joinCondition, readCondition } from "@/lib/caption";
import { currentLanguage } from "@/lib/i18n";
import styles from "./lookalikes.module.css";

interface Props {
  assignment: Assignment;
  number: number;
  /** the fields that are set on the tile, quantity and condition */
  fields: readonly SchemaField[];
  own: Readonly<Record<string, string>> | undefined;
  common: Readonly<Record<string, string>>;
  /** what on the tile is the machine's guess */
  guesses: Readonly<Record<string, "sure" | "doubted">>;
  errors: Readonly<Record<string, string>> | null;
  knockedOut: boolean;
  current: boolean;
  onCursor: (id: number) => void;
  onToggle: (id: number) => void;
  onOwn: (id: number, key: string, value: string) => void;
  /** the focus has come to the tile or to one of its fields */
  onArrived: () => void;
  onKey: (event: KeyboardEvent, id: number) => void;
}

const CIRCLED = ["①", "②", "③", "④", "⑤"];

/** One of the look-alikes: a click knocks it out, its own quantity and condition below the photo. */
export function Tile({ assignment, number, fields, own, common, guesses, errors, knockedOut, current, onCursor, onToggle, onOwn, onArrived, onKey }: Props) {
  const { t } = useTranslation();
  const { id, captures } = assignment;
  const [capture] = captures;
  const differs = own !== undefined && Object.values(own).some((value) => value !== "");
  return (
    <li className={styles.tile} data-out={knockedOut || undefined} data-current={current || undefined} data-wrong={(errors && !knockedOut && Object.keys(errors).length > 0) || undefined} data-testid={`alike-${number}`}>
      <button
        type="button"
        className={styles.photo}
        aria-pressed={!knockedOut}
        aria-label={t(knockedOut ? "lookalikes.isOut" : "lookalikes.isIn", { number })}
        tabIndex={current ? 0 : -1}
        data-tile={id}
        onFocus={() => {
          onCursor(id);
          onArrived();
        }}
        onClick={() => onToggle(id)}
        onKeyDown={(event) => onKey(event, id)}
      >
        {capture && <img src={capture.images.display} alt="" draggable={false} />}
        <span className={styles.number}>{number}</span>
        {captures.length > 1 && <span className={styles.views}>{t("lookalikes.views", { count: captures.length })}</span>}
        {knockedOut && <span className={styles.out}>{t("lookalikes.out")}</span>}
      </button>
      <div className={styles.own} data-differs={differs || undefined} onFocus={onArrived}>
        {fields.map((field) => {
          const value = own?.[field.key] ?? "";
          // one of which nothing is known is not like the others
          const others = own?.[field.key] === "" ? "" : (common[field.key] ?? "");
          const guess = guesses[field.key];
          const marks = { "data-machine": guess && true, "data-doubted": guess === "doubted" || undefined };
          const label = `${number} ${field.label[currentLanguage()]}`;
          if (field.kind === "quantity")
            return (
              <input
                key={field.key}
                type="text"
                {...marks}
                aria-label={label}
                aria-invalid={(errors && field.key in errors) || undefined}
                title={errors?.[field.key]}
                placeholder={others}
                disabled={knockedOut}
                value={value}
                onChange={(event) => onOwn(id, field.key, event.target.value)}
                data-testid={`alike-${number}-${field.key}`}
              />
            );
          const grade = readCondition(value)?.grade ?? 0;
          const all = readCondition(others)?.grade ?? 0;
          return (
            <select
              key={field.key}
              {...marks}
              aria-label={label}
              aria-invalid={(errors && field.key in errors) || undefined}
              disabled={knockedOut}
              value={grade}
              onChange={(event) => onOwn(id, field.key, Number(event.target.value) ? joinCondition(Number(event.target.value), "") : "")}
              data-testid={`alike-${number}-${field.key}`}
            >
              <option value={0}>{all ? `${CIRCLED[all - 1] ?? ""} ${t(`condition.short${all}`)}` : "–"}</option>
              {CONDITIONS.map((name, index) => index + 1 !== all && <option key={name} value={index + 1}>{`${CIRCLED[index] ?? ""} ${t(`condition.short${index + 1}`)}`}</option>)}
            </select>
          );
        })}
      </div>
    </li>
  );
}
