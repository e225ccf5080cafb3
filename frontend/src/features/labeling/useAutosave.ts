import { useEffect, useRef, useState } from "react";
import { api, call } from "@/api/client";
import { asProblem, type Problem } from "@/api/problem";
import type { Assignment, Draft } from "@/api/types";
import type { Keep } from "./keep";

const SAVE_AFTER_MS = 2000;

export type SaveState = "saved" | "saving" | "unsaved" | "offline";

function putDraft(assignment: Assignment, etag: string, draft: Draft, keepalive = false) {
  return call(
    api.PUT("/api/v1/assignments/{assignment_id}/draft", {
      params: { path: { assignment_id: assignment.id }, header: { "If-Match": etag } },
      body: { token: assignment.token, draft: { flag: "", note: "", ...draft, attributes: { ...draft.attributes } } },
      keepalive,
    }),
  );
}

interface Saving {
  assignment: Assignment;
  /** another one whenever there is something new to save */
  document: unknown;
  draft: () => Draft;
  /** what is typed so far in one line, for the case that it cannot be submitted */
  caption: string;
  keep: Keep;
  onSaved: (assignmentId: number) => void;
  onLost: (problem: Problem) => void;
}

/**
 * Saves what is typed: at once in this browser, after two quiet seconds and on leaving at the server, which also
 * extends the lease. `onLost` tells that the lease is gone.
 */
export function useAutosave({ assignment, document, draft, caption, keep, onSaved, onLost }: Saving): SaveState {
  const [state, setState] = useState<SaveState>("saved");
  const first = useRef(document);
  const saved = useRef(document);
  const etag = useRef(assignment.etag);
  const latest = useRef({ draft, onLost, onSaved, document, caption });
  useEffect(() => {
    latest.current = { draft, onLost, onSaved, document, caption };
  });

  useEffect(() => {
    let gone = false;
    let again: ReturnType<typeof setTimeout> | undefined;
    const { id, task } = assignment;
    const save = async (keepalive = false): Promise<void> => {
      const { document: current } = latest.current;
      setState("saving");
      try {
        const answer = await putDraft(assignment, etag.current, latest.current.draft(), keepalive);
        etag.current = answer.etag;
        saved.current = current;
        latest.current.onSaved(id);
        if (latest.current.document === current) void keep.dropDraft(id);
        if (!gone) setState("saved");
      } catch (error) {
        const problem = asProblem(error);
        if (gone) return;
        if (problem.status === 412) {
          // edited from another page of ours: the newest words win, on top of the newest version
          const fresh = await call(api.GET("/api/v1/assignments/{assignment_id}", { params: { path: { assignment_id: id } } })).catch(() => null);
          if (fresh) etag.current = fresh.etag;
          setState("unsaved");
          if (fresh) again = setTimeout(() => void save(), SAVE_AFTER_MS);
        } else if (problem.status === 409 || problem.status === 404) latest.current.onLost(problem);
        else setState("offline");
      }
    };
    const isNew = () => latest.current.document !== saved.current && latest.current.document !== first.current;
    if (isNew()) {
      setState("unsaved");
      void keep.putDraft({ assignment: id, task: task.id, caption: latest.current.caption, draft: latest.current.draft() });
    }
    const timer = isNew() ? setTimeout(() => void save(), SAVE_AFTER_MS) : undefined;
    const onHide = () => {
      if (window.document.hidden && isNew()) void save(true);
    };
    const onOnline = () => {
      if (isNew()) void save();
    };
    window.document.addEventListener("visibilitychange", onHide);
    window.addEventListener("online", onOnline);
    return () => {
      gone = true;
      clearTimeout(timer);
      clearTimeout(again);
      window.document.removeEventListener("visibilitychange", onHide);
      window.removeEventListener("online", onOnline);
    };
  }, [assignment, document, keep]);

  return state;
}
