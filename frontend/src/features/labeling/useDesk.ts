import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import { notify } from "@/components/toast";
import { projectQuery } from "@/features/projects/project";
import { readStored, writeStored } from "@/lib/storage";
import { Desk, type DeskEvent, type DeskStore, type Lost, type PendingSubmit } from "./desk";
import { deskApi } from "./deskApi";

const UNDO_MS = 10_000;

function storeFor(userId: number, projectId: number): DeskStore {
  const key = `wv.desk.${userId}.${projectId}`;
  return {
    load: () => readStored(key) as { pending: PendingSubmit[]; lost: Lost[] } | null,
    save: (kept) => writeStored(key, kept.pending.length || kept.lost.length ? kept : null),
  };
}

/** The desk of one person in one project, for as long as the page is open. */
export function useDesk(userId: number, projectId: number) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [desk] = useState(() => {
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
          void client.invalidateQueries({ queryKey: projectQuery(projectId).queryKey });
          return;
        }
        case "objected":
          return void notify({ tone: "error", text: t("label.objected"), detail: event.problem.detail });
        case "stale":
          // what was typed stands in the banner; a skipped photo leaves nothing to keep
          if (!event.caption) notify({ tone: "dispute", text: event.problem.detail || t("label.stale") });
          return;
        case "withdrawn":
          void client.invalidateQueries({ queryKey: projectQuery(projectId).queryKey });
          return void notify({ text: t("label.withdrawn") });
        case "failed":
          return void notify({ tone: "error", text: event.problem.detail || t("errors.network") });
      }
    };
    const made = new Desk(deskApi(projectId), storeFor(userId, projectId), onEvent);
    return made;
  });
  const state = useSyncExternalStore(desk.subscribe, desk.snapshot);

  useEffect(() => {
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
      desk.stop();
    };
  }, [desk]);

  return { desk, state };
}
