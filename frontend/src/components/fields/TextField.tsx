import styles from "./fields.module.css";

interface Props {
  value: string;
  onChange: (value: string) => void;
  onBlur?: () => void;
  label: string;
  type?: "text" | "date";
  placeholder?: string;
  invalid?: boolean;
  machine?: boolean;
  doubted?: boolean;
  testId?: string;
}

export function TextField({ value, onChange, onBlur, label, type = "text", placeholder, invalid, machine, doubted, testId }: Props) {
  return (
    <input
      className={styles.input}
      type={type}
      aria-label={label}
      aria-invalid={invalid || undefined}
      autoComplete="off"
      spellCheck={false}
      placeholder={placeholder}
      data-machine={machine || undefined}
      data-doubted={doubted || undefined}
      data-testid={testId}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      onFocus={(event) => event.target.select()}
      onBlur={onBlur}
    />
  );
}
