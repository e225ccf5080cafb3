import { useEffect, useState } from "react";
import { api, call } from "@/api/client";
import type { Assignment, Suggestion } from "@/api/types";

const AGAIN_MS = 3000;

/** Whether somebody has begun to answer, as the server sees it in a kept draft. */
export const hasEntry = (values: Readonly<Record<string, unknown>>, boxes: number): boolean => boxes > 0 || Object.values(values).some((value) => value !== "" && value !== undefined);

/**
 * A suggestion that comes later: asked for once so many seconds have passed, else once the first entry has been
 * kept (`kept`). The server decides whether it is due; `onCome` gets it once.
 */
export function useDelayed(assignment: Assignment, kept: boolean, onCome: (suggestion: Suggestion | null) => void): void {
  const { id, token, suggestion_after_s: seconds } = assignment;
  const waits = assignment.suggestion_delayed && !assignment.suggestion_shown;
  const [tick, setTick] = useState(0);
  const due = waits && (seconds > 0 || kept);
  useEffect(() => {
    if (!due) return;
    let gone = false;
    const timer = setTimeout(
      () =>
        void call(api.POST("/api/v1/assignments/{assignment_id}/suggestion", { params: { path: { assignment_id: id } }, body: { token } })).then(
          (answer) => {
            if (!gone) onCome((answer as Assignment).suggestion);
          },
          () => {
            if (!gone) setTick((before) => before + 1);
          },
        ),
      tick > 0 ? AGAIN_MS : seconds * 1000,
    );
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [due, id, token, seconds, tick, onCome]);
}
