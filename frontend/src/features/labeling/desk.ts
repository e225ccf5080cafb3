/**
 * The annotator's desk: the photo in work, the next one ready beside it, and submits under way.
 * Holding at most two leases, it makes the switch to the next photo instantaneous: a submit is sent in the
 * background with its own idempotency key, and again until it lands.
 */
import type { AnnotationReceipt, Assignment, Draft, FieldError } from "@/api/types";
import { asProblem, type Problem } from "@/api/problem";

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
  /** fetches the pictures that the page will show */
  warm: (assignment: Assignment) => void;
}

export interface PendingSubmit {
  key: string;
  assignment: Assignment;
  body: Submission;
  caption: string;
  waiting: boolean;
}

/** What was typed for a photo that is no longer ours; kept until the person lets it go. */
export interface Lost {
  task: number;
  caption: string;
  detail: string;
}

export type Phase = "loading" | "working" | "empty" | "waiting" | "failed";

export interface DeskState {
  phase: Phase;
  current: Assignment | null;
  next: Assignment | null;
  pending: readonly PendingSubmit[];
  lost: readonly Lost[];
  problem: Problem | null;
  /** the server's objections to a photo that came back */
  objections: readonly FieldError[];
}

export type DeskEvent =
  | { kind: "submitted"; receipt: AnnotationReceipt; caption: string }
  | { kind: "objected"; problem: Problem }
  | { kind: "stale"; problem: Problem; caption: string }
  | { kind: "withdrawn" }
  | { kind: "failed"; problem: Problem };

export interface DeskStore {
  load: () => { pending: PendingSubmit[]; lost: Lost[] } | null;
  save: (kept: { pending: readonly PendingSubmit[]; lost: readonly Lost[] }) => void;
}

const RETRY_MS = [1000, 2000, 4000, 8000, 15_000];
const EMPTY_POLL_MS = 20_000;

export class Desk {
  private state: DeskState = { phase: "loading", current: null, next: null, pending: [], lost: [], problem: null, objections: [] };
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;
  private sending = false;
  private fetching: Promise<void> | null = null;
  private stopped = false;

  constructor(
    private readonly api: DeskApi,
    private readonly store: DeskStore,
    private readonly emit: (event: DeskEvent) => void,
    private readonly now: () => number = Date.now,
  ) {}

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  };
  readonly snapshot = () => this.state;

  private set(change: Partial<DeskState>): void {
    this.state = { ...this.state, ...change };
    if (change.pending || change.lost) this.store.save({ pending: this.state.pending, lost: this.state.lost });
    this.listeners.forEach((listener) => listener());
  }

  async start(): Promise<void> {
    this.stopped = false;
    const kept = this.store.load();
    if (kept) this.set({ pending: kept.pending.map((one) => ({ ...one, waiting: true })), lost: kept.lost });
    await this.send();
    await this.fill();
  }

  /** Leaves the page: the photo beside goes back to the queue, the one in work stays ours until its lease ends. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    const { next } = this.state;
    this.set({ next: null });
    if (next) void this.api.release(next).catch(() => undefined);
  }

  /** Fetches what is missing: the photo in work, then the one beside it. Never more than two, submits under way included. */
  private fill(): Promise<void> {
    this.fetching ??= this.fetchMissing().finally(() => {
      this.fetching = null;
    });
    return this.fetching;
  }

  private async fetchMissing(): Promise<void> {
    while (!this.stopped && this.held() < 2 && !(this.state.current && this.state.next)) {
      let fetched: Assignment | null;
      try {
        fetched = await this.api.next(this.heldIds());
      } catch (error) {
        const problem = asProblem(error);
        if (!this.state.current) this.set({ phase: this.state.pending.length > 0 ? "waiting" : "failed", problem });
        if (problem.retryable) this.again();
        return;
      }
      if (fetched && this.heldIds().includes(fetched.id)) return;
      if (!fetched) {
        if (!this.state.current) {
          this.set({ phase: this.state.pending.length > 0 ? "waiting" : "empty", problem: null });
          this.later(EMPTY_POLL_MS);
        }
        return;
      }
      if (this.leftMeanwhile()) {
        void this.api.release(fetched).catch(() => undefined);
        return;
      }
      this.api.warm(fetched);
      if (this.state.current) this.set({ next: fetched });
      else this.set({ current: fetched, phase: "working", problem: null, objections: [] });
    }
    if (!this.state.current && this.state.pending.length > 0) this.set({ phase: "waiting" });
  }

  /** stop() may have been called while an answer was on its way. */
  private leftMeanwhile(): boolean {
    return this.stopped;
  }

  private heldIds(): number[] {
    const ids = [this.state.current?.id, this.state.next?.id, ...this.state.pending.map((one) => one.assignment.id)];
    return ids.filter((id) => id !== undefined);
  }
  private held(): number {
    return this.heldIds().length;
  }

  /** Puts the photo beside into work; one whose lease ran out while it lay there is dropped. */
  private advance(): void {
    const { next } = this.state;
    const usable = next && Date.parse(next.expires_at) > this.now() + 5000 ? next : null;
    const phase: Phase = usable ? "working" : this.state.pending.length > 0 ? "waiting" : "loading";
    this.set({ current: usable, next: null, phase, objections: [] });
  }

  async submit(body: Submission, caption: string): Promise<void> {
    const { current } = this.state;
    if (!current) return;
    const entry: PendingSubmit = { key: crypto.randomUUID(), assignment: current, body, caption, waiting: false };
    this.set({ pending: [...this.state.pending, entry] });
    this.advance();
    await this.send();
    await this.fill();
  }

  private async send(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    clearTimeout(this.timer);
    try {
      for (let entry = this.state.pending[0]; entry; entry = this.state.pending[0]) {
        if (!(await this.deliver(entry))) break;
      }
    } finally {
      this.sending = false;
    }
  }

  /** Sends one submit; false when it has to wait for the network. */
  private async deliver(entry: PendingSubmit): Promise<boolean> {
    const drop = () => this.state.pending.filter((one) => one.key !== entry.key);
    try {
      const receipt = await this.api.submit(entry.assignment.id, entry.body, entry.key);
      this.attempt = 0;
      this.set({ pending: drop() });
      this.emit({ kind: "submitted", receipt, caption: receipt.caption || entry.caption });
      return true;
    } catch (error) {
      const problem = asProblem(error);
      if (problem.retryable) {
        this.set({ pending: this.state.pending.map((one) => (one.key === entry.key ? { ...one, waiting: true } : one)) });
        this.again();
        return false;
      }
      if (problem.status === 400 || problem.status === 413 || problem.status === 422) {
        // ours still, but not acceptable: back on the desk with the reasons
        const { current, next } = this.state;
        if (next) void this.api.release(next).catch(() => undefined);
        const assignment = { ...entry.assignment, draft: entry.body };
        this.set({ pending: drop(), current: assignment, next: current, phase: "working", objections: problem.errors });
        this.emit({ kind: "objected", problem });
        return true;
      }
      this.set({ pending: drop(), lost: [...this.state.lost, { task: entry.assignment.task.id, caption: entry.caption, detail: problem.detail }] });
      this.emit({ kind: "stale", problem, caption: entry.caption });
      return true;
    }
  }

  private again(): void {
    this.later(RETRY_MS[Math.min(this.attempt++, RETRY_MS.length - 1)] ?? 15_000);
  }
  private later(delayMs: number): void {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => void this.wake(), delayMs);
  }

  /** Called when the network is back, by the clock, or by a person's "try again". */
  async wake(): Promise<void> {
    await this.send();
    await this.fill();
  }

  async skip(reason: SkipReason, detail: string): Promise<boolean> {
    const { current } = this.state;
    if (!current) return false;
    try {
      await this.api.skip(current, reason, detail);
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status === 409) this.emit({ kind: "stale", problem, caption: "" });
      else {
        this.emit({ kind: "failed", problem });
        return false;
      }
    }
    this.advance();
    await this.fill();
    return true;
  }

  /** The lease of the photo in work is gone (told by a draft save): what was typed moves to the lost ones. */
  async lose(caption: string, problem: Problem): Promise<void> {
    const { current } = this.state;
    if (!current) return;
    this.set({ lost: [...this.state.lost, { task: current.task.id, caption, detail: problem.detail }] });
    this.advance();
    await this.fill();
  }

  forget(lost: Lost): void {
    this.set({ lost: this.state.lost.filter((one) => one !== lost) });
  }

  /** Takes a submit back: its photo returns into work, the interrupted one moves beside it. */
  async withdraw(annotationId: number): Promise<void> {
    await this.fetching;
    try {
      const returned = await this.api.withdraw(annotationId);
      const { current, next } = this.state;
      if (next && current) void this.api.release(next).catch(() => undefined);
      this.api.warm(returned);
      this.set({ current: returned, next: current ?? next, phase: "working", objections: [] });
      this.emit({ kind: "withdrawn" });
    } catch (error) {
      this.emit({ kind: "failed", problem: asProblem(error) });
    }
  }
}
