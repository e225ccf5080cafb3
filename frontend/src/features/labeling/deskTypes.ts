/** What the desk deals in. */
import type { Problem } from "@/api/problem";
import type { AnnotationReceipt, Assignment, Draft, FieldError, Lookalikes } from "@/api/types";
import type { KeptDraft } from "./keep";

export interface Submission extends Draft {
  token: string;
  suggestion_used: Record<string, boolean>;
}

export type SkipReason = "unreadable" | "not_goods" | "several_goods" | "duplicate" | "other";

export interface DeskApi {
  next: (exclude: number[]) => Promise<Assignment | null>;
  submit: (assignmentId: number, body: Submission, key: string) => Promise<AnnotationReceipt>;
  skip: (assignment: Assignment, reason: SkipReason, detail: string) => Promise<unknown>;
  release: (assignment: Assignment) => Promise<unknown>;
  withdraw: (annotationId: number) => Promise<Assignment>;
  /** until when the lease is ours then */
  extend: (assignment: Assignment) => Promise<string>;
  /** how an assignment stands, for one that this page does not hold */
  look: (assignmentId: number) => Promise<Assignment>;
  takeLookalikes: () => Promise<Lookalikes | null>;
  keepLookalikes: (grid: string) => Promise<unknown>;
  giveBackLookalikes: (grid: string, keep: number[], knockedOut: number[]) => Promise<unknown>;
  /** fetches the pictures that the page will show */
  warm: (assignment: Assignment) => void;
}

export interface PendingSubmit {
  key: string;
  assignment: Assignment;
  body: Submission;
  caption: string;
  /** has met an absent network */
  waiting: boolean;
}

/** One of the look-alikes that a person confirms. */
export interface Confirmed {
  assignment: Assignment;
  body: Submission;
  caption: string;
}

/** What was typed for a photo that is no longer ours; kept until the person lets it go. */
export interface Lost {
  task: number;
  caption: string;
  detail: string;
}

export interface KeptDesk {
  pending: readonly PendingSubmit[];
  lost: readonly Lost[];
  drafts: readonly KeptDraft[];
}

export type Phase = "loading" | "working" | "empty" | "waiting" | "failed";

export interface DeskState {
  phase: Phase;
  current: Assignment | null;
  next: Assignment | null;
  pending: readonly PendingSubmit[];
  lost: readonly Lost[];
  grid: Lookalikes | null;
  problem: Problem | null;
  /** the server's objections to a photo that came back */
  objections: readonly FieldError[];
}

export type DeskEvent =
  | { kind: "submitted"; receipt: AnnotationReceipt; caption: string }
  /** look-alikes, or what had waited for the network: all of it has landed */
  | { kind: "submittedTogether"; receipts: readonly AnnotationReceipt[]; late: boolean; alike: boolean; sinceMs: number }
  | { kind: "noLookalikes" }
  /** the photo in work is no longer ours; what was typed is the page's to tell */
  | { kind: "leaseLost"; problem: Problem }
  | { kind: "objected"; problem: Problem }
  | { kind: "stale"; problem: Problem; caption: string }
  | { kind: "withdrawn" }
  | { kind: "failed"; problem: Problem };

export interface DeskStore {
  load: () => Promise<KeptDesk>;
  /** keeps submits, each in the place of the draft that it was made of */
  put: (entries: readonly PendingSubmit[]) => unknown;
  drop: (key: string) => unknown;
  saveLost: (lost: readonly Lost[]) => unknown;
  dropDraft: (assignmentId: number) => unknown;
}
