import styles from "./Choose.module.css";

interface Props<T extends string> {
  label: string;
  value: T | undefined;
  options: readonly { value: T; label: string }[];
  onChange: (value: T | undefined) => void;
  /** what no choice means; without it one of the options is always chosen */
  none?: string;
  testId?: string;
}

/** A short list to choose from, small enough for a page's head. */
export function Choose<T extends string>({ label, value, options, onChange, none, testId }: Props<T>) {
  return (
    <select className={styles.choose} aria-label={label} title={label} value={value ?? ""} data-testid={testId} onChange={(event) => onChange(options.find((one) => one.value === event.target.value)?.value)}>
      {none !== undefined && <option value="">{none}</option>}
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
}
