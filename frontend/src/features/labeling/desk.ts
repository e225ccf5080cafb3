/**
 * The annotator's desk: the photo in work, the next one ready beside it, submits under way, and look-alikes
 * that are answered in one go. Holding at most two leases beside those, it makes the switch to the next photo
 * instantaneous: a submit is sent in the background with its own idempotency key, and again until it lands.
 */
import type { AnnotationReceipt, Assignment } from "@/api/types";
import { asProblem, type Problem } from "@/api/problem";
import { randomKey } from "@/lib/randomKey";
import type { Confirmed, DeskApi, DeskEvent, DeskState, DeskStore, Lost, PendingSubmit, Phase, SkipReason, Submission } from "./deskTypes";
import type { KeptDraft } from "./keep";

export type * from "./deskTypes";

const RETRY_MS = [1000, 2000, 4000, 8000, 15_000];
const EMPTY_POLL_MS = 20_000;

export class Desk {
  private state: DeskState = { phase: "loading", current: null, next: null, pending: [], lost: [], grid: null, problem: null, objections: [] };
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;
  private sending = false;
  private fetching: Promise<void> | null = null;
  private stopped = true;
  private halted = false;
  /** what an earlier page left typed, by assignment */
  private drafts = new Map<number, KeptDraft>();
  /** until when leases are ours, as the server said last */
  private readonly leases = new Map<number, number>();
  /** what has landed of what is told together */
  private landed: { receipt: AnnotationReceipt; entry: PendingSubmit; atMs: number }[] = [];

  constructor(
    private readonly api: DeskApi,
    private readonly store: DeskStore,
    private readonly emit: (event: DeskEvent) => void,
    private readonly leaseMs: number,
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
    if (change.lost) this.store.saveLost(change.lost);
    this.listeners.forEach((listener) => listener());
  }

  async start(): Promise<void> {
    if (!this.stopped) return;
    this.stopped = this.halted = false;
    const { pending, lost, drafts } = await this.store.load();
    if (this.leftMeanwhile()) return;
    this.drafts = new Map(drafts.map((draft) => [draft.assignment, draft]));
    this.state = { ...this.state, lost };
    this.set({ pending: pending.map((one) => ({ ...one, waiting: true })) });
    await this.send();
    await this.fill();
    await this.settleDrafts();
  }

  /** What was typed for a photo that did not come back: told, unless it was submitted or skipped after all. */
  private async settleDrafts(): Promise<void> {
    if (!this.state.current && this.state.phase !== "empty") return; // nobody could say
    for (const kept of this.drafts.values()) {
      const state = await this.api.look(kept.assignment).then(
        (assignment): string => assignment.state,
        (error: unknown) => (asProblem(error).status === 404 ? "gone" : "unknown"),
      );
      if (this.leftMeanwhile()) return;
      if (state === "active" || state === "unknown") continue;
      this.drafts.delete(kept.assignment);
      this.store.dropDraft(kept.assignment);
      if (state !== "submitted" && state !== "skipped") this.set({ lost: [...this.state.lost, { task: kept.task, caption: kept.caption, detail: "" }] });
    }
  }

  /** Leaves the page: what lies beside goes back to the queue, the photo in work stays ours until its lease ends. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    clearTimeout(this.timer);
    const { next, grid } = this.state;
    this.set({ next: null, grid: null });
    if (next) void this.api.release(next).catch(() => undefined);
    if (grid) void this.api.giveBackLookalikes(grid.grid, this.pendingIds(), []).catch(() => undefined);
  }

  /** Another tab goes on with all of it: nothing is given back, and nothing more is sent from here. */
  halt(): void {
    this.stopped = true;
    this.halted = true;
    clearTimeout(this.timer);
    this.set({ current: null, next: null, pending: [], grid: null, phase: "loading" });
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
        // the tab that took over finds it there
        if (!this.halted) void this.api.release(fetched).catch(() => undefined);
        return;
      }
      fetched = this.received(fetched);
      if (this.state.current) this.set({ next: fetched });
      else this.set({ current: fetched, phase: "working", problem: null, objections: [] });
    }
    if (!this.state.current && this.state.pending.length > 0) this.set({ phase: "waiting" });
  }

  /** A lease that has just been given or renewed, with what an earlier page left typed. */
  private received(assignment: Assignment): Assignment {
    this.leases.set(assignment.id, this.now() + this.leaseMs);
    this.api.warm(assignment);
    const kept = this.drafts.get(assignment.id);
    this.drafts.delete(assignment.id);
    return kept ? { ...assignment, draft: kept.draft } : assignment;
  }

  /** stop() may have been called while an answer was on its way. */
  private leftMeanwhile(): boolean {
    return this.stopped;
  }

  /** The leases that are held singly. */
  private heldIds(): number[] {
    const { current, next, pending } = this.state;
    return [current, next, ...pending.map((one) => one.assignment)].flatMap((one) => (one && !one.grid ? [one.id] : []));
  }
  private pendingIds(): number[] {
    return this.state.pending.map((one) => one.assignment.id);
  }
  private held(): number {
    return this.heldIds().length;
  }

  /** Puts the photo beside into work; one whose lease ran out while it lay there is dropped. */
  private advance(): void {
    const { next } = this.state;
    const usable = next && this.leaseEnds(next) > this.now() + 5000 ? next : null;
    const phase: Phase = usable ? "working" : this.state.pending.length > 0 ? "waiting" : "loading";
    this.set({ current: usable, next: null, phase, objections: [] });
  }

  async submit(body: Submission, caption: string): Promise<void> {
    const { current } = this.state;
    if (!current) return;
    this.enqueue([{ assignment: current, body, caption }]);
    this.advance();
    await this.send();
    await this.fill();
  }

  private enqueue(answers: readonly Confirmed[]): void {
    const entries = answers.map((answer): PendingSubmit => ({ ...answer, key: randomKey(), waiting: false }));
    this.store.put(entries);
    this.set({ pending: [...this.state.pending, ...entries] });
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
      this.tellTogether();
    }
  }

  /** What came in one go, or waited for the network, is told in one go when none of it is left. */
  private tellTogether(): void {
    const [first] = this.landed;
    if (!first || this.state.pending.some(isTogether)) return;
    const entries = this.landed.map((one) => one.entry);
    const alike = entries.every((entry) => entry.assignment.grid !== "");
    this.emit({ kind: "submittedTogether", receipts: this.landed.map((one) => one.receipt), late: entries.some((entry) => entry.waiting), alike, sinceMs: first.atMs });
    this.landed = [];
  }

  /** Sends one submit; false when it has to wait for the network. */
  private async deliver(entry: PendingSubmit): Promise<boolean> {
    const drop = () => this.state.pending.filter((one) => one.key !== entry.key);
    try {
      const receipt = await this.api.submit(entry.assignment.id, entry.body, entry.key);
      this.attempt = 0;
      this.store.drop(entry.key);
      this.set({ pending: drop() });
      if (isTogether(entry)) this.landed.push({ receipt, entry, atMs: this.now() });
      else this.emit({ kind: "submitted", receipt, caption: receipt.caption || entry.caption });
      return true;
    } catch (error) {
      const problem = asProblem(error);
      if (problem.retryable || isSignedOut(problem)) {
        this.set({ pending: this.state.pending.map((one) => (one.key === entry.key ? { ...one, waiting: true } : one)) });
        if (problem.retryable) this.again();
        return false;
      }
      this.store.drop(entry.key);
      if (problem.status === 400 || problem.status === 413 || problem.status === 422) {
        // ours still, but not acceptable: back on the desk with the reasons
        const { current, next } = this.state;
        const assignment = { ...entry.assignment, draft: entry.body };
        if (assignment.grid) {
          this.set({ pending: drop() });
          this.intoGrid([assignment]);
          this.emit({ kind: "objected", problem });
          return true;
        }
        if (next) void this.api.release(next).catch(() => undefined);
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
    this.store.dropDraft(current.id);
    this.advance();
    await this.fill();
    return true;
  }

  /** The lease of the photo in work is gone (told by a draft save): what was typed moves to the lost ones. */
  async lose(caption: string, problem: Problem): Promise<void> {
    const { current } = this.state;
    if (!current) return;
    this.store.dropDraft(current.id);
    if (caption) this.set({ lost: [...this.state.lost, { task: current.task.id, caption, detail: problem.detail }] });
    else this.emit({ kind: "stale", problem, caption });
    this.advance();
    await this.fill();
  }

  forget(lost: Lost): void {
    this.set({ lost: this.state.lost.filter((one) => one !== lost) });
  }

  // --- leases ---------------------------------------------------------------------------------

  /** Until when a lease is ours, in this machine's time. */
  leaseEnds(assignment: Assignment): number {
    return this.leases.get(assignment.id) ?? 0;
  }
  /** The server has just extended a lease, for instance because it kept a draft. */
  extended(assignmentId: number): void {
    this.leases.set(assignmentId, this.now() + this.leaseMs);
  }

  /** Keeps everything that lies on the desk, for somebody who is at work. */
  async extend(): Promise<void> {
    const { current, next, grid } = this.state;
    for (const one of [current, next]) {
      if (!one) continue;
      try {
        await this.api.extend(one);
        this.extended(one.id);
      } catch (error) {
        const problem = asProblem(error);
        if (problem.status !== 409 && problem.status !== 404) continue;
        if (one.id === this.state.current?.id) this.emit({ kind: "leaseLost", problem });
        else if (one.id === this.state.next?.id) this.set({ next: null });
      }
    }
    if (!grid) return;
    try {
      await this.api.keepLookalikes(grid.grid);
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status !== 409 || this.state.grid?.grid !== grid.grid) return;
      this.set({ grid: null });
      this.emit({ kind: "stale", problem, caption: "" });
    }
  }

  // --- look-alikes ----------------------------------------------------------------------------

  /** Opens the look-alikes over the photo in work, which stays where it is. */
  async openLookalikes(): Promise<void> {
    try {
      const grid = await this.api.takeLookalikes();
      if (!grid) {
        this.emit({ kind: "noLookalikes" });
        return;
      }
      if (this.leftMeanwhile()) return void this.api.giveBackLookalikes(grid.grid, [], []).catch(() => undefined);
      const under = this.pendingIds();
      this.set({ grid: { ...grid, assignments: grid.assignments.filter((one) => !under.includes(one.id)) } });
    } catch (error) {
      this.emit({ kind: "failed", problem: asProblem(error) });
    }
  }

  /** Submits what was confirmed, each for itself, and gives the rest back: it comes singly. */
  async confirmLookalikes(confirmed: readonly Confirmed[], knockedOut: readonly number[]): Promise<void> {
    const { grid } = this.state;
    if (!grid) return;
    this.enqueue(confirmed);
    this.set({ grid: null });
    if (confirmed.length < grid.assignments.length) void this.api.giveBackLookalikes(grid.grid, this.pendingIds(), [...knockedOut]).catch(() => undefined);
    await this.send();
    await this.fill();
  }

  leaveLookalikes(): void {
    const { grid } = this.state;
    if (!grid) return;
    this.set({ grid: null });
    void this.api.giveBackLookalikes(grid.grid, this.pendingIds(), []).catch(() => undefined);
  }

  private intoGrid(assignments: readonly Assignment[]): void {
    const { grid } = this.state;
    const [first] = assignments;
    if (!first) return;
    const top = first.suggestion?.candidates[0];
    this.set({ grid: { grid: first.grid, sku: top ? { code: top.sku_code, name: top.name } : null, ...grid, assignments: [...(grid?.assignments ?? []), ...assignments] } });
  }

  // --- taking back ----------------------------------------------------------------------------

  /**
   * Takes submits back. A photo returns into work, the interrupted one moves beside it; look-alikes return
   * into their grid.
   */
  async withdraw(...annotationIds: number[]): Promise<void> {
    await this.fetching;
    const returned: Assignment[] = [];
    let problem: Problem | null = null;
    for (const id of annotationIds) {
      try {
        returned.push(this.received(await this.api.withdraw(id)));
      } catch (error) {
        problem = asProblem(error);
      }
    }
    this.intoGrid(returned.filter((one) => one.grid));
    for (const single of returned.filter((one) => !one.grid)) {
      const { current, next } = this.state;
      if (next && current) void this.api.release(next).catch(() => undefined);
      this.set({ current: single, next: current ?? next, phase: "working", objections: [] });
    }
    if (problem) this.emit({ kind: "failed", problem });
    else this.emit({ kind: "withdrawn" });
  }
}

const isTogether = (entry: PendingSubmit) => entry.waiting || entry.assignment.grid !== "";
/** The session has ended: the answer waits until the person has signed in again. */
const isSignedOut = (problem: Problem) => problem.status === 401 || problem.code === "csrf_failed";
