import styles from "./Chips.module.css";

interface Props<T extends string> {
  value: T | undefined;
  options: readonly { value: T | undefined; label: string; count?: number; testId?: string }[];
  onChange: (value: T | undefined) => void;
  label: string;
}

/** A filter with few choices, all in sight. */
export function Chips<T extends string>({ value, options, onChange, label }: Props<T>) {
  return (
    <div className={styles.chips} role="group" aria-label={label}>
      {options.map((option) => (
        <button key={option.value ?? ""} type="button" aria-pressed={option.value === value} data-testid={option.testId} onClick={() => onChange(option.value)}>
          {option.label}
          {option.count !== undefined && <span>{option.count}</span>}
        </button>
      ))}
    </div>
  );
}
