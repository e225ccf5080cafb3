import { useEffect, useRef, useState } from "react";
import { api, call } from "@/api/client";
import { asProblem, type Problem } from "@/api/problem";
import type { Assignment, Draft } from "@/api/types";
import { writeStored } from "@/lib/storage";

const SAVE_AFTER_MS = 2000;
const HEARTBEAT_MS = 120_000;

export type SaveState = "saved" | "saving" | "unsaved" | "offline";
export const localDraftKey = (assignmentId: number) => `wv.draft.${assignmentId}`;

function putDraft(assignment: Assignment, etag: string, draft: Draft, keepalive = false) {
  return call(
    api.PUT("/api/v1/assignments/{assignment_id}/draft", {
      params: { path: { assignment_id: assignment.id }, header: { "If-Match": etag } },
      body: { token: assignment.token, draft: { ...draft, attributes: { ...draft.attributes } } },
      keepalive,
    }),
  );
}

/**
 * Saves what is typed: at once in this browser, after two quiet seconds and on leaving at the server, which also
 * extends the lease. `onLost` tells that the lease is gone.
 */
export function useAutosave(assignment: Assignment, document: unknown, draft: () => Draft, onLost: (problem: Problem) => void): SaveState {
  const [state, setState] = useState<SaveState>("saved");
  const first = useRef(document);
  const saved = useRef(document);
  const etag = useRef(assignment.etag);
  const latest = useRef({ draft, onLost, document });
  useEffect(() => {
    latest.current = { draft, onLost, document };
  });

  useEffect(() => {
    let gone = false;
    const save = async (keepalive = false): Promise<void> => {
      const { document: current } = latest.current;
      setState("saving");
      try {
        const answer = await putDraft(assignment, etag.current, latest.current.draft(), keepalive);
        etag.current = answer.etag;
        saved.current = current;
        writeStored(localDraftKey(assignment.id), null);
        if (!gone) setState("saved");
      } catch (error) {
        const problem = asProblem(error);
        if (gone) return;
        if (problem.status === 412) {
          // edited from another page of ours: the newest words win, on top of the newest version
          const fresh = await call(api.GET("/api/v1/assignments/{assignment_id}", { params: { path: { assignment_id: assignment.id } } })).catch(() => null);
          if (fresh) etag.current = fresh.etag;
          setState("unsaved");
        } else if (problem.status === 409 || problem.status === 404) latest.current.onLost(problem);
        else setState("offline");
      }
    };
    const changed = document !== saved.current && document !== first.current;
    if (changed) {
      setState("unsaved");
      writeStored(localDraftKey(assignment.id), latest.current.draft());
    }
    const timer = changed ? setTimeout(() => void save(), SAVE_AFTER_MS) : undefined;
    const heartbeat = setInterval(() => {
      if (!window.document.hidden) void save();
    }, HEARTBEAT_MS);
    const onHide = () => {
      if (window.document.hidden && latest.current.document !== saved.current && latest.current.document !== first.current) void save(true);
    };
    window.document.addEventListener("visibilitychange", onHide);
    return () => {
      gone = true;
      clearTimeout(timer);
      clearInterval(heartbeat);
      window.document.removeEventListener("visibilitychange", onHide);
    };
  }, [assignment, document]);

  return state;
}
