import { useCallback, useState } from "react";
import type { Assignment, Draft, SchemaField } from "@/api/types";
import { readStored } from "@/lib/storage";
import { begin, record, redo, seal, undo, type History } from "@/lib/undo";
import { open, type LabelDocument } from "./document";
import { localDraftKey } from "./useAutosave";

export interface Kept {
  document: LabelDocument;
  seconds: number;
}

/** The document under the annotator's hands with its undo; `kept` is what was typed before the photo was set aside. */
export function useLabelDocument(fields: readonly SchemaField[], assignment: Assignment, kept: Kept | undefined) {
  const [history, setHistory] = useState<History<LabelDocument>>(() => {
    if (kept) return begin(kept.document);
    const unsent = readStored(localDraftKey(assignment.id)) as Draft | null;
    return begin(open(fields, unsent ? { ...assignment, draft: unsent } : assignment));
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
    canUndo: history.past.length > 0,
    canRedo: history.future.length > 0,
  };
}
