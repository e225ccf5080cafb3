import type { ReactNode } from "react";
import styles from "./Disclosure.module.css";

interface Props {
  open: boolean;
  onToggle: () => void;
  children: ReactNode;
  testId: string;
}

/** Opens and closes what belongs to a row of a list. */
export function Disclosure({ open, onToggle, children, testId }: Props) {
  return (
    <button type="button" className={styles.disclosure} onClick={onToggle} aria-expanded={open} data-testid={testId}>
      {open ? "▾" : "▸"} {children}
    </button>
  );
}
