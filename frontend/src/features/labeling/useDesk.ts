import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { notify } from "@/components/toast";
import { projectQuery } from "@/features/projects/project";
import { Desk, type DeskEvent } from "./desk";
import { deskApi } from "./deskApi";
import { Keep } from "./keep";
import { recentKey } from "./recent";

const UNDO_MS = 10_000;

/** The desk of one person in one project, for as long as the page is open and this tab is the one that works. */
export function useDesk(userId: number, project: Project, mine: boolean, onLeaseLost: (event: DeskEvent & { kind: "leaseLost" }, desk: Desk) => void) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [keep] = useState(() => new Keep(userId, project.id));
  const [desk] = useState(() => {
    const refresh = () => {
      void client.invalidateQueries({ queryKey: projectQuery(project.id).queryKey });
      void client.invalidateQueries({ queryKey: recentKey(project.id) });
    };
    const onEvent = (event: DeskEvent): void => {
      switch (event.kind) {
        case "submitted": {
          const { id } = event.receipt;
          notify({
            tone: "agree",
            text: t("label.submitted"),
            detail: event.caption,
            durationMs: UNDO_MS,
            action: { label: t("label.withdraw"), run: () => void made.withdraw(id), testId: "undo" },
          });
          refresh();
          return;
        }
        case "submittedTogether": {
          const ids = event.receipts.map(({ id }) => id);
          const left = event.sinceMs + UNDO_MS - Date.now();
          const undo = (event.alike || ids.length === 1) && left > 1000;
          notify({
            tone: "agree",
            text: t(event.late ? "flow.caughtUp" : "lookalikes.submitted", { count: ids.length }),
            durationMs: undo ? left : 5000,
            ...(undo && { action: { label: t(ids.length > 1 ? "lookalikes.withdrawAll" : "label.withdraw"), run: () => void made.withdraw(...ids), testId: "undo" } }),
          });
          refresh();
          return;
        }
        case "noLookalikes":
          return void notify({ text: t("lookalikes.none") });
        case "objected":
          return void notify({ tone: "error", text: t("label.objected"), detail: event.problem.detail });
        case "leaseLost":
          onLeaseLost(event, made);
          return;
        case "stale":
          // what was typed stands in the banner; a skipped photo leaves nothing to keep
          if (!event.caption) notify({ tone: "dispute", text: event.problem.detail || t("label.stale") });
          return;
        case "withdrawn":
          refresh();
          return void notify({ text: t("label.withdrawn") });
        case "failed":
          return void notify({ tone: "error", text: event.problem.detail || t("errors.network") });
      }
    };
    const made = new Desk(deskApi(project.id), keep, onEvent, project.lease_seconds * 1000);
    return made;
  });
  const state = useSyncExternalStore(desk.subscribe, desk.snapshot);

  useEffect(() => {
    if (!mine) {
      desk.halt();
      return;
    }
    void desk.start();
    const wake = () => void desk.wake();
    const leave = () => desk.stop();
    window.addEventListener("online", wake);
    // back through the browser's page cache: take up the work again
    const comeBack = (event: PageTransitionEvent) => {
      if (event.persisted) void desk.start();
    };
    window.addEventListener("pageshow", comeBack);
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("online", wake);
      window.removeEventListener("pageshow", comeBack);
      window.removeEventListener("pagehide", leave);
    };
  }, [desk, mine]);
  useEffect(() => () => desk.stop(), [desk]);

  return { desk, state, keep };
}
