import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Suspense, lazy, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { EmptyState, ErrorState, RowsSkeleton } from "@/components/states";
import { useHotkeys } from "@/lib/hotkeys";
import { useOnline } from "@/lib/online";
import type { DeskState, Lost } from "./desk";
import { HeaderStats } from "./HeaderStats";
import { RecentList } from "./RecentList";
import { useDesk } from "./useDesk";
import type { Kept } from "./useLabelDocument";
import { Workbench } from "./Workbench";
import styles from "./labeling.module.css";

const ShortcutHelp = lazy(async () => ({ default: (await import("./ShortcutHelp")).ShortcutHelp }));

function Banners({ state, onForget, onRetry }: { state: DeskState; onForget: (lost: Lost) => void; onRetry: () => void }) {
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
      {state.lost.map((lost) => (
        <div key={`${lost.task}-${lost.caption}`} className={styles.banner} data-tone="dispute" data-testid="lost-banner">
          <span>
            {t("label.lost", { task: lost.task, detail: lost.detail })} <span className="mono">{lost.caption}</span>
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

export function LabelingPage({ project, userId }: { project: Project; userId: number }) {
  const { t } = useTranslation();
  const { desk, state } = useDesk(userId, project.id);
  const [help, setHelp] = useState(false);
  const [kept] = useState(() => new Map<number, Kept>());
  const openHelp = () => setHelp(true);
  useHotkeys({ "?": openHelp }, state.phase !== "working");
  const { current } = state;

  return (
    <div className={styles.page}>
      <Banners state={state} onForget={(lost) => desk.forget(lost)} onRetry={() => void desk.wake()} />
      {state.phase === "working" && current ? (
        <KeyedWorkbench key={current.id} project={project} state={state} desk={desk} kept={kept} onHelp={openHelp} />
      ) : (
        <div className={styles.rest}>
          <HeaderStats project={project} task={undefined} activeSeconds={null} onHelp={openHelp} />
          {state.phase === "loading" && <RowsSkeleton rows={5} height={64} />}
          {state.phase === "failed" && <ErrorState error={state.problem} retry={() => void desk.wake()} />}
          {state.phase === "waiting" && <EmptyState title={t("label.waitingTitle")}>{t("label.waitingHint")}</EmptyState>}
          {state.phase === "empty" && (
            <>
              <EmptyState title={t("label.emptyTitle")}>
                <p>{t("label.emptyHint")}</p>
                <Link to="/">{t("nav.home")}</Link>
              </EmptyState>
              <RecentList projectId={project.id} />
            </>
          )}
        </div>
      )}
      <Suspense>{help && <ShortcutHelp opened onClose={() => setHelp(false)} />}</Suspense>
    </div>
  );
}

type Desk = ReturnType<typeof useDesk>["desk"];

function KeyedWorkbench({ project, state, desk, kept, onHelp }: { project: Project; state: DeskState; desk: Desk; kept: Map<number, Kept>; onHelp: () => void }) {
  const assignment = state.current;
  if (!assignment) return null;
  return (
    <Workbench
      project={project}
      assignment={assignment}
      objections={state.objections}
      kept={kept.get(assignment.id)}
      onKeep={(now) => {
        kept.set(assignment.id, now);
        for (const id of [...kept.keys()].slice(0, -6)) kept.delete(id);
      }}
      onSubmit={(body, caption) => void desk.submit(body, caption)}
      onSkip={(reason) => desk.skip(reason, "")}
      onLost={(caption, problem) => void desk.lose(caption, problem)}
      onHelp={onHelp}
    />
  );
}
