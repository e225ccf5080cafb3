import { useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import styles from "./toast.module.css";

export interface Toast {
  id: number;
  tone: "plain" | "agree" | "dispute" | "error";
  text: string;
  detail?: string;
  action?: { label: string; run: () => void; testId?: string };
  /** null: stays until it is closed */
  durationMs: number | null;
}

let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();
const publish = (next: readonly Toast[]) => {
  toasts = next;
  listeners.forEach((listener) => listener());
};

export function dismiss(id: number): void {
  publish(toasts.filter((toast) => toast.id !== id));
}

export function notify(toast: Omit<Toast, "id" | "durationMs" | "tone"> & Partial<Toast>): number {
  const id = ++lastId;
  const durationMs = toast.durationMs === undefined ? (toast.tone === "error" ? 12_000 : 5_000) : toast.durationMs;
  publish([...toasts.slice(-2), { tone: "plain", ...toast, id, durationMs }]);
  if (durationMs !== null) setTimeout(() => dismiss(id), durationMs);
  return id;
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export function Toaster() {
  const { t } = useTranslation();
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className={styles.region} aria-live="polite" role="status">
      {shown.map((toast) => (
        <div key={toast.id} className={styles.toast} data-tone={toast.tone} data-testid="toast">
          <div className={styles.text}>
            {toast.text}
            {toast.detail && <div className={styles.detail}>{toast.detail}</div>}
          </div>
          {toast.action && (
            <button
              type="button"
              className={styles.action}
              data-testid={toast.action.testId}
              onClick={() => {
                toast.action?.run();
                dismiss(toast.id);
              }}
            >
              {toast.action.label}
            </button>
          )}
          <button type="button" className={styles.close} aria-label={t("common.close")} onClick={() => dismiss(toast.id)}>
            ×
          </button>
          {toast.action && toast.durationMs !== null && <span className={styles.clock} style={{ animationDuration: `${toast.durationMs}ms` }} />}
        </div>
      ))}
    </div>
  );
}
