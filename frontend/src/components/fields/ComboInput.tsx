import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { isComposing } from "@/lib/hotkeys";
import styles from "./fields.module.css";

export interface Option {
  key: string;
  value: string;
  content: ReactNode;
}

interface Props {
  value: string;
  options: readonly Option[];
  onChange: (value: string) => void;
  onPick: (option: Option) => void;
  /** false while the options are still those of what was typed before */
  fresh?: boolean;
  /** a digit while nothing has been typed yet; false where it means nothing */
  onNumber?: (digit: number) => boolean;
  onBlur?: () => void;
  onFocus?: () => void;
  label: string;
  invalid?: boolean;
  machine?: boolean;
  doubted?: boolean;
  placeholder?: string;
  testId?: string;
  describedBy?: string;
}

/**
 * A text field with proposals, the first of which Enter picks; pressed before they have come, it picks when they do. Keys belong
 * to the input method while it composes.
 */
export function ComboInput({ value, options, onChange, onPick, fresh = true, onNumber, onBlur, onFocus, label, invalid, machine, doubted, placeholder, testId, describedBy }: Props) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const [typed, setTyped] = useState(false);
  const [waiting, setWaiting] = useState(false);
  const shown = open && options.length > 0;
  const current = shown ? options[Math.min(active, options.length - 1)] : undefined;

  const pick = (option: Option) => {
    onPick(option);
    setOpen(false);
    setActive(-1);
    setTyped(false);
    setWaiting(false);
  };
  const latest = useRef(pick);
  useEffect(() => {
    latest.current = pick;
  });
  const first = options[0];
  useEffect(() => {
    if (waiting && fresh && first) latest.current(first);
  }, [waiting, fresh, first]);

  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (isComposing(event.nativeEvent) || event.ctrlKey || event.metaKey || event.altKey) return;
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
    if (digit && !event.shiftKey && !typed && onNumber?.(Number(digit))) {
      event.preventDefault();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!shown) setOpen(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      setActive((before) => (options.length ? (before + step + options.length + (before < 0 && step < 0 ? 1 : 0)) % options.length : -1));
    } else if (event.key === "Enter" && typed && !fresh) {
      event.preventDefault();
      setWaiting(true);
    } else if (event.key === "Enter" && current) {
      event.preventDefault();
      pick(current);
    } else if (event.key === "Escape" && shown) {
      event.preventDefault();
      setOpen(false);
    }
  };

  return (
    <div className={styles.combo}>
      <input
        ref={input}
        className={styles.input}
        type="text"
        role="combobox"
        aria-label={label}
        aria-expanded={shown}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={current ? `${id}-${current.key}` : undefined}
        aria-invalid={invalid || undefined}
        aria-describedby={describedBy}
        autoComplete="off"
        spellCheck={false}
        data-machine={machine || undefined}
        data-doubted={doubted || undefined}
        data-digits={(onNumber && !typed) || undefined}
        data-testid={testId}
        placeholder={placeholder}
        value={value}
        onChange={(event) => {
          onChange(event.target.value);
          setOpen(true);
          setActive(event.target.value.trim() === "" ? -1 : 0);
          setTyped(true);
          setWaiting(false);
        }}
        onFocus={(event) => {
          event.target.select();
          onFocus?.();
        }}
        onBlur={() => {
          setOpen(false);
          setTyped(false);
          setWaiting(false);
          onBlur?.();
        }}
        onKeyDown={onKeyDown}
      />
      {shown && (
        <ul className={styles.options} id={`${id}-list`} role="listbox" aria-label={label}>
          {options.map((option, index) => (
            // the keyboard's way is the combobox above
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events
            <li
              key={option.key}
              id={`${id}-${option.key}`}
              role="option"
              aria-selected={index === active}
              className={styles.option}
              data-testid={testId ? `${testId}-option-${index + 1}` : undefined}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => pick(option)}
            >
              {option.content}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
