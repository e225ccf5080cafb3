import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Suspense, lazy, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { EmptyState, ErrorState, RowsSkeleton } from "@/components/states";
import { projectQuery } from "@/features/projects/project";
import { formatCaption } from "@/lib/caption";
import { useActions } from "@/lib/keymap";
import { toValues } from "@/lib/label/document";
import { Banners } from "./Banners";
import type { Desk, DeskState } from "./desk";
import { HeaderStats } from "./HeaderStats";
import type { Keep } from "./keep";
import { LookalikesOffer } from "./lookalikes/LookalikesOffer";
import { markOf, type Mark } from "./mark";
import { useDesk } from "./useDesk";
import { useLease } from "./useLease";
import type { Kept } from "./useLabelDocument";
import { useTab } from "./useTab";
import { Workbench } from "./Workbench";
import styles from "./labeling.module.css";

const GuideDrawer = lazy(async () => ({ default: (await import("./GuideDrawer")).GuideDrawer }));
const ShortcutHelp = lazy(async () => ({ default: (await import("./ShortcutHelp")).ShortcutHelp }));
const Elsewhere = lazy(async () => ({ default: (await import("./Elsewhere")).Elsewhere }));
const RecentList = lazy(async () => ({ default: (await import("./RecentList")).RecentList }));
const RecentDrawer = lazy(async () => ({ default: (await import("./RecentDrawer")).RecentDrawer }));
const LookalikesGrid = lazy(async () => ({ default: (await import("./lookalikes/LookalikesGrid")).LookalikesGrid }));

type Drawer = "help" | "guide" | "recent" | null;

export function LabelingPage({ project, userId }: { project: Project; userId: number }) {
  const { t } = useTranslation();
  const { tab, claim } = useTab(userId, project.id);
  const [kept] = useState(() => new Map<number, Kept>());
  const [marks] = useState(() => new Map<number, Mark>());
  const captionOf = (assignmentId: number | undefined) => {
    const document = kept.get(assignmentId ?? 0)?.document;
    return document ? formatCaption(project.schema.fields, toValues(document, project.schema.fields)) : "";
  };
  const { desk, state, keep } = useDesk(userId, project, tab.kind === "mine", ({ problem }, made) => void made.lose(captionOf(made.snapshot().current?.id), problem));
  const lease = useLease(desk, project.lease_seconds * 1000);
  const [drawer, setDrawer] = useState<Drawer>(null);
  const openHelp = () => setDrawer("help");
  const openGuide = () => setDrawer("guide");
  const openRecent = () => setDrawer("recent");
  const close = () => setDrawer(null);
  useActions({ help: openHelp }, state.phase !== "working");
  useActions({ guide: openGuide, recent: openRecent });
  const { current, grid } = state;
  const client = useQueryClient();
  // the photo was handed out under a newer schema than this page knows, or its answer was refused for one
  const behind = current !== null && current.schema_version > project.schema_version;
  const refused = state.objections.length > 0;
  useEffect(() => {
    if (behind || refused) void client.invalidateQueries({ queryKey: projectQuery(project.id).queryKey });
  }, [behind, refused, client, project.id]);
  const task = current?.task.id;
  useEffect(() => claim.announce(task === undefined ? "" : `#${task}`), [claim, task, tab.kind]);

  const header = { project, onHelp: openHelp, onGuide: openGuide, onRecent: openRecent };
  if (tab.kind === "elsewhere")
    return (
      <div className={styles.page}>
        <div className={styles.rest}>
          <Suspense fallback={<RowsSkeleton rows={3} />}>
            <Elsewhere tab={tab} onTakeOver={() => claim.takeOver()} />
          </Suspense>
        </div>
      </div>
    );
  return (
    <div className={styles.page}>
      <Banners state={state} lease={lease.notice} onStay={lease.stay} onForget={(lost) => desk.forget(lost)} onRetry={() => void desk.wake()} />
      {grid && !behind ? (
        <Suspense fallback={<RowsSkeleton rows={5} height={64} />}>
          <HeaderStats {...header} task={undefined} activeSeconds={null} />
          <LookalikesGrid
            key={grid.assignments.map((one) => one.id).join()}
            project={project}
            grid={grid}
            onConfirm={(confirmed, knockedOut) => void desk.confirmLookalikes(confirmed, knockedOut)}
            onLeave={() => desk.leaveLookalikes()}
          />
        </Suspense>
      ) : (
        <>
          {tab.kind === "mine" && <LookalikesOffer project={project} onOpen={() => void desk.openLookalikes()} />}
          {state.phase === "working" && current && !behind ? (
            <KeyedWorkbench key={current.id} project={project} state={state} desk={desk} keep={keep} kept={kept} marks={marks} header={header} />
          ) : (
            <div className={styles.rest}>
              <HeaderStats {...header} task={undefined} activeSeconds={null} />
              {(state.phase === "loading" || behind) && <RowsSkeleton rows={5} height={64} />}
              {state.phase === "failed" && <ErrorState error={state.problem} retry={() => void desk.wake()} />}
              {state.phase === "waiting" && (
                <EmptyState title={t("label.waitingTitle")} testId="waiting-state">
                  {t("label.waitingHint")}
                </EmptyState>
              )}
              {state.phase === "empty" && (
                <>
                  <EmptyState title={t("label.emptyTitle")}>
                    <p>{t("label.emptyHint")}</p>
                    <Link to="/">{t("nav.home")}</Link>
                  </EmptyState>
                  <Suspense>
                    <RecentList projectId={project.id} fields={project.schema.fields} />
                  </Suspense>
                </>
              )}
            </div>
          )}
        </>
      )}
      <Suspense>
        {drawer === "guide" && <GuideDrawer project={project} onClose={close} />}
        {drawer === "help" && <ShortcutHelp opened onClose={close} />}
        {drawer === "recent" && <RecentDrawer projectId={project.id} fields={project.schema.fields} onWithdraw={(annotation) => void desk.withdraw(annotation)} onClose={close} />}
      </Suspense>
    </div>
  );
}

interface BenchProps {
  project: Project;
  state: DeskState;
  desk: Desk;
  keep: Keep;
  kept: Map<number, Kept>;
  /** what was set on a photo that was set aside for another one */
  marks: Map<number, Mark>;
  header: { onHelp: () => void; onGuide: () => void; onRecent: () => void };
}

function KeyedWorkbench({ project, state, desk, keep, kept, marks, header }: BenchProps) {
  const assignment = state.current;
  const [mark, setMark] = useState<Mark>(() => (assignment && (marks.get(assignment.id) ?? markOf(assignment))) ?? { flag: "", note: "" });
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
      mark={mark}
      onMark={(next) => {
        marks.set(assignment.id, next);
        setMark(next);
      }}
      keep={keep}
      onSaved={(id) => desk.extended(id)}
      onSubmit={(body, caption) => void desk.submit(body, caption)}
      onSkip={(reason) => desk.skip(reason, "")}
      onLost={(caption, problem) => void desk.lose(caption, problem)}
      {...header}
    />
  );
}
