import { Button, Progress } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Chips } from "@/components/Chips";
import { bytes, integer } from "@/lib/format";
import type { UploadQueue, UploadState, UploadStatus } from "./upload";
import styles from "./captures.module.css";

const TONE: Record<UploadState, string> = { waiting: "", sending: "", created: "agree", existing: "", quarantined: "dispute", unpacking: "", failed: "error" };
const ORDER: readonly UploadState[] = ["failed", "quarantined", "sending", "waiting", "created", "existing", "unpacking"];
const ROW_PX = 28;
const MAX_PX = 240;

/** The files of an upload: how far it is, and each with its state; thousands cost no more than those in sight. */
export function UploadList({ queue, status }: { queue: UploadQueue; status: UploadStatus }) {
  const { t, i18n } = useTranslation();
  const [only, setOnly] = useState<UploadState | undefined>(undefined);
  const scroller = useRef<HTMLDivElement>(null);
  const { counts, paused, cut } = status;
  const open = counts.waiting + counts.sending;
  const total = status.rows.length;
  const shown = only && counts[only] > 0 ? status.rows.filter((row) => row.state === only) : status.rows;
  // eslint-disable-next-line react-hooks/incompatible-library -- its rows are read here and nowhere memoised
  const virtual = useVirtualizer({ count: shown.length, getScrollElement: () => scroller.current, estimateSize: () => ROW_PX, overscan: 12 });

  return (
    <div className="panel">
      <div className={styles.uploadHead} aria-live="polite" data-testid="upload-summary">
        <b>{t("captures.uploadProgress", { done: integer(total - open, i18n.language), of: integer(total, i18n.language) })}</b>
        {open > 0 && paused && <span className="dispute">{t("captures.paused")}</span>}
        {open > 0 && cut && !paused && (
          <span className="dispute" data-testid="upload-cut">
            {t("captures.cut")}
          </span>
        )}
        {open > 0 && !status.kept && <span className="dim">{t("captures.keepOpen")}</span>}
        <span className="spacer" />
        {counts.failed > 0 && (
          <Button size="compact-xs" variant="default" onClick={() => queue.retryFailed()} data-testid="upload-retry">
            {t("captures.retryFailed", { count: counts.failed })}
          </Button>
        )}
        {open > 0 ? (
          <>
            <Button size="compact-xs" variant="default" onClick={() => (paused ? queue.resume() : queue.pause())} data-testid="upload-pause">
              {t(paused ? "captures.resume" : "captures.pause")}
            </Button>
            {paused && (
              <Button size="compact-xs" variant="subtle" onClick={() => queue.clear(true)}>
                {t("captures.discard")}
              </Button>
            )}
          </>
        ) : (
          <Button size="compact-xs" variant="subtle" onClick={() => queue.clear()}>
            {t("common.dismiss")}
          </Button>
        )}
      </div>
      <Progress value={(100 * (total - open)) / total} size="xs" radius={0} aria-label={t("captures.uploadState.sending")} />
      <div className={styles.uploadHead}>
        <Chips
          label={t("captures.state")}
          value={only}
          onChange={setOnly}
          options={[
            { value: undefined, label: t("common.all"), count: total },
            ...ORDER.filter((state) => counts[state] > 0).map((state) => ({ value: state, label: t(`captures.uploadState.${state}`), count: counts[state], testId: `upload-only-${state}` })),
          ]}
        />
      </div>
      <div ref={scroller} className={styles.uploadRows} style={{ height: Math.min(MAX_PX, Math.max(1, shown.length) * ROW_PX) + 1 }}>
        <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = shown[index];
            return (
              row && (
                <div key={row.id} className={styles.uploadRow} style={{ transform: `translateY(${start}px)` }} data-testid="upload-row" data-state={row.state}>
                  <span className={styles.fileName} title={row.name}>
                    {row.name}
                  </span>
                  <span className="dim num">{bytes(row.file.size)}</span>
                  <span className={`tag ${TONE[row.state]}`}>{t(`captures.uploadState.${row.state}`)}</span>
                  <span className={`${styles.fileName} ${row.state === "failed" ? "error" : "dispute"}`} title={row.detail}>
                    {row.detail}
                  </span>
                </div>
              )
            );
          })}
        </div>
      </div>
    </div>
  );
}
