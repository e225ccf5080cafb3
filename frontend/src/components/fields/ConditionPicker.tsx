import { useState } from "react";
import { useTranslation } from "react-i18next";
import { CONDITIONS, joinCondition, readCondition } from "@/lib/caption";
import { isComposing } from "@/lib/hotkeys";
import styles from "./fields.module.css";

interface Props {
  value: string;
  onChange: (value: string) => void;
  label: string;
  machine?: boolean;
  doubted?: boolean;
  invalid?: boolean;
  testId?: string;
}

const CIRCLED = ["①", "②", "③", "④", "⑤"];

/** The damage scale as one row; digits 1–5 choose while the focus is on it. Detail may follow a damage. */
export function ConditionPicker({ value, onChange, label, machine, doubted, invalid, testId }: Props) {
  const { t } = useTranslation();
  const { grade, detail } = readCondition(value) ?? { grade: 0, detail: "" };
  // as it is typed, spaces at the end included; anything else that changes the value (undo) shows at once
  const [written, setWritten] = useState({ of: "", text: "" });
  const choose = (next: number) => onChange(joinCondition(next, detail));
  return (
    <>
      {/* the keys are a shortcut to the buttons inside */}
      {/* eslint-disable-next-line jsx-a11y/interactive-supports-focus */}
      <div
        className={styles.grades}
        role="radiogroup"
        aria-label={label}
        aria-invalid={invalid || undefined}
        data-testid={testId}
        onKeyDown={(event) => {
          if (isComposing(event.nativeEvent) || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
          const digit = /^(?:Digit|Numpad)([1-5])$/.exec(event.code)?.[1];
          const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
          if (!digit && !step) return;
          event.preventDefault();
          const next = digit ? Number(digit) : Math.min(Math.max((grade || 1) + step, 1), CONDITIONS.length);
          choose(next);
          event.currentTarget.querySelectorAll("button")[next - 1]?.focus();
        }}
      >
        {CONDITIONS.map((name, index) => (
          <button
            key={name}
            type="button"
            role="radio"
            aria-checked={grade === index + 1}
            tabIndex={grade === index + 1 || (grade === 0 && index === 0) ? 0 : -1}
            className={styles.grade}
            data-machine={machine || undefined}
            data-doubted={doubted || undefined}
            data-testid={`condition-${index + 1}`}
            title={`${t(`condition.${index + 1}`)} (Shift+${index + 1})`}
            onClick={() => choose(index + 1)}
          >
            <span aria-hidden="true">{CIRCLED[index]}</span>
            {t(`condition.short${index + 1}`)}
          </button>
        ))}
      </div>
      {grade > 1 && (
        <input
          className={styles.detail}
          type="text"
          aria-label={t("condition.detail")}
          placeholder={t("condition.detail")}
          value={written.of === value ? written.text : detail}
          data-testid="condition-detail"
          onChange={(event) => {
            const next = joinCondition(grade, event.target.value);
            setWritten({ of: next, text: event.target.value });
            onChange(next);
          }}
        />
      )}
    </>
  );
}
