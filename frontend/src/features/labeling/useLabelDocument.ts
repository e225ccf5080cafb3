import { useCallback, useEffect, useRef, useState } from "react";
import type { Assignment, SchemaField } from "@/api/types";
import { begin, record, redo, seal, undo, type History } from "@/lib/undo";
import { open, type LabelDocument } from "@/lib/label/document";

export interface Kept {
  document: LabelDocument;
  seconds: number;
}

/** The document under the annotator's hands with its undo; `kept` is what was typed before the photo was set aside. */
export function useLabelDocument(fields: readonly SchemaField[], assignment: Assignment, kept: Kept | undefined) {
  const [history, setHistory] = useState<History<LabelDocument>>(() => {
    return begin(kept ? kept.document : open(fields, assignment));
  });
  const latest = useRef(history);
  useEffect(() => {
    latest.current = history;
  });
  /** One undoable step; equal keys in a row are one. */
  const change = useCallback(
    (edit: (document: LabelDocument) => LabelDocument, key: string | null = null) => setHistory((before) => record(before, edit(before.present), key)),
    [],
  );
  return {
    document: history.present,
    change,
    seal: useCallback(() => setHistory(seal), []),
    undo: useCallback(() => setHistory(undo), []),
    redo: useCallback(() => setHistory(redo), []),
    /** what the page was at a moment, and going back there */
    snapshot: useCallback(() => latest.current, []),
    restore: setHistory,
    canUndo: history.past.length > 0,
    canRedo: history.future.length > 0,
  };
}
