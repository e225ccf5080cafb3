import { Button, Drawer } from "@mantine/core";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { SchemaField } from "@/api/types";
import { PhotoStage } from "@/components/photo/PhotoStage";
import { EmptyState, ErrorState, RowsSkeleton } from "@/components/states";
import { dateTime, seconds } from "@/lib/format";
import { isUnknown } from "@/lib/captions";
import { currentLanguage } from "@/lib/i18n";
import { RecentRows } from "./RecentList";
import { useOwnAnswer, useRecent } from "./recent";
import styles from "./flow.module.css";

interface Props {
  projectId: number;
  fields: readonly SchemaField[];
  /** an answer to begin with; else the list */
  opened?: number;
  /** takes an answer back, where the desk is at hand */
  onWithdraw?: (annotation: number) => void;
  onClose: () => void;
}

/** My last answers, and those that I marked: to look at, for ten seconds to take back, after that as they are. */
export function RecentDrawer({ projectId, fields, opened, onWithdraw, onClose }: Props) {
  const { t } = useTranslation();
  const [flagged, setFlagged] = useState(false);
  const [shown, setShown] = useState<number | null>(opened ?? null);
  const query = useRecent(projectId, flagged);
  return (
    <Drawer opened onClose={onClose} position="right" size="lg" title={t(flagged ? "flow.recent.flagged" : "label.recent")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <div data-testid="recent-drawer">
        {shown !== null ? (
          <OwnAnswerView
            annotation={shown}
            fields={fields}
            onBack={() => setShown(null)}
            onWithdraw={
              onWithdraw &&
              ((annotation) => {
                onClose();
                onWithdraw(annotation);
              })
            }
          />
        ) : (
          <>
            <div className={styles.tabs}>
              {[false, true].map((which) => (
                <Button key={String(which)} size="compact-xs" variant={flagged === which ? "filled" : "default"} aria-pressed={flagged === which} onClick={() => setFlagged(which)} data-testid={which ? "recent-flagged" : "recent-all"}>
                  {t(which ? "flow.recent.flagged" : "label.recent")}
                </Button>
              ))}
            </div>
            {query.isPending && <RowsSkeleton rows={5} />}
            {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
            {query.data && (query.data.length > 0 ? <RecentRows rows={query.data} onOpen={setShown} /> : <EmptyState title={t(flagged ? "flow.recent.noneFlagged" : "flow.recent.none")} />)}
          </>
        )}
      </div>
    </Drawer>
  );
}

/** Seconds left until a moment, counted here. */
function useLeft(until: string | undefined): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const tick = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(tick);
  }, []);
  return until ? Math.ceil((Date.parse(until) - now) / 1000) : 0;
}

function OwnAnswerView({ annotation, fields, onBack, onWithdraw }: { annotation: number; fields: readonly SchemaField[]; onBack: () => void; onWithdraw: ((annotation: number) => void) | undefined }) {
  const { t, i18n } = useTranslation();
  const query = useOwnAnswer(annotation);
  const [side, setSide] = useState(0);
  const left = useLeft(query.data?.withdraw_until);
  if (query.isPending) return <RowsSkeleton rows={5} />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  const answer = query.data;
  const capture = answer.captures[Math.min(side, answer.captures.length - 1)];
  const labelOf = (key: string) => fields.find((field) => field.key === key)?.label[currentLanguage()] ?? key;
  const canWithdraw = onWithdraw && !answer.withdrawn_at && left > 0;
  return (
    <article className={styles.own} data-testid="own-answer">
      <div className={styles.row}>
        <Button size="compact-xs" variant="default" onClick={onBack} data-testid="recent-back">
          ← {t("label.recent")}
        </Button>
        <span className="dim">
          #{answer.task} · {dateTime(answer.created_at, i18n.language)} · {seconds(answer.active_seconds)}
        </span>
        <span className="spacer" />
        {canWithdraw ? (
          <Button size="compact-sm" onClick={() => onWithdraw(annotation)} data-testid="own-withdraw">
            {t("label.withdraw")} ({left} s)
          </Button>
        ) : (
          <span className="tag" data-testid="own-read-only">
            {t(answer.returned ? "label.returned" : answer.withdrawn_at ? "label.withdrawn" : "flow.recent.readOnly")}
          </span>
        )}
      </div>
      {answer.captures.length > 1 && (
        <div className={styles.tabs}>
          {answer.captures.map((one, index) => (
            <Button key={one.id} size="compact-xs" variant="default" aria-pressed={index === side} onClick={() => setSide(index)}>
              {one.cam_type ? t(`cam.${one.cam_type}`) : index + 1}
            </Button>
          ))}
        </div>
      )}
      {capture && (
        <div className={styles.ownPhoto}>
          <PhotoStage capture={capture} boxes={answer.boxes.filter((box) => box.capture === capture.id).map((box, index) => ({ ...box, id: String(index), hue: "own", locked: true }))} />
        </div>
      )}
      <dl className={styles.ownFields}>
        {Object.entries(answer.fields).map(([key, value]) => (
          <div key={key}>
            <dt>{labelOf(key)}</dt>
            <dd>{isUnknown(value) ? t("field.unknownBecause", { reason: value.unknown }) : value}</dd>
          </div>
        ))}
      </dl>
      {answer.flag && (
        <p className="dispute">
          ⚑ {t(`flow.flagged.${answer.flag}`)}
          {answer.note && `：${answer.note}`}
        </p>
      )}
      <p className="mono">{answer.caption}</p>
    </article>
  );
}
