import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useOnline } from "@/lib/online";
import type { DeskState, Lost } from "./desk";
import { ReturnedNotice } from "./ReturnedNotice";
import type { LeaseNotice } from "./useLease";
import styles from "./labeling.module.css";

interface Props {
  state: DeskState;
  lease: LeaseNotice;
  onStay: () => void;
  onForget: (lost: Lost) => void;
  onRetry: () => void;
}

/** What the person has to know while working: the network, the lease, what could not be submitted. */
export function Banners({ state, lease, onStay, onForget, onRetry }: Props) {
  const { t } = useTranslation();
  const online = useOnline();
  const waiting = state.pending.some((one) => one.waiting) ? state.pending.length : 0;
  return (
    <div aria-live="polite" className={styles.banners}>
      {(waiting > 0 || !online) && (
        <div className={styles.banner} data-tone="dispute" data-testid="pending-banner">
          <span>{waiting > 0 ? t("label.pending", { count: waiting }) : t("label.offline")}</span>
          {waiting > 0 && (
            <Button size="compact-xs" variant="default" onClick={onRetry}>
              {t("label.retryNow")}
            </Button>
          )}
        </div>
      )}
      {lease && (
        <div className={styles.banner} data-tone="dispute" data-testid="lease-notice">
          {/* a screen reader hears it once, not every second */}
          <span>{lease.kind === "warn" ? t("flow.lease.warn") : t("flow.lease.over")}</span>
          {lease.kind === "warn" && (
            <b aria-hidden="true" data-testid="lease-seconds">
              {lease.seconds} s
            </b>
          )}
          <Button size="compact-xs" variant="default" onClick={onStay} data-testid="lease-stay">
            {t("flow.lease.stay")}
          </Button>
        </div>
      )}
      {state.phase === "working" && state.current?.returned && <ReturnedNotice returned={state.current.returned} />}
      {state.lost.map((lost) => (
        <div key={`${lost.task}-${lost.caption}`} className={styles.banner} data-tone="dispute" data-testid="lost-banner">
          <span>
            {t("label.lost", { task: lost.task, detail: lost.detail || t("flow.lease.gone") })} <span className="mono">{lost.caption}</span>
          </span>
          <Button size="compact-xs" variant="default" onClick={() => void navigator.clipboard.writeText(lost.caption)}>
            {t("common.copy")}
          </Button>
          <Button size="compact-xs" variant="subtle" onClick={() => onForget(lost)}>
            {t("common.dismiss")}
          </Button>
        </div>
      ))}
    </div>
  );
}
