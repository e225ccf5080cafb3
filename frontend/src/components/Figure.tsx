import type { ReactNode } from "react";
import styles from "./card.module.css";

export function Figure({ value, label, tone = "", testId }: { value: ReactNode; label: string; tone?: string; testId?: string }) {
  return (
    <div className={styles.figure}>
      <b className={tone} data-testid={testId}>
        {value}
      </b>
      <span>{label}</span>
    </div>
  );
}
