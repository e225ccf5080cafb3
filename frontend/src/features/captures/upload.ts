/**
 * Uploading thousands of photos so that a cut network or a reload costs nothing: each file has its own state, what the
 * server has already is not sent, what failed for want of a network is sent again, and what is left is kept in the
 * browser until it was taken. Knows nothing of React.
 */
import { api, call } from "@/api/client";
import { asProblem } from "@/api/problem";
import type { UploadResult } from "@/api/types";
import { postForm } from "@/api/upload";
import { forget, keep, type KeptFile } from "./keptFiles";

export const BATCH_FILES = 8;
export const BATCH_BYTES = 8_000_000;
export const PARALLEL = 4;
const ASK_FILES = 64;
const GIVE_UP_AFTER = 6;
const MAX_PAUSE_MS = 30_000;

export interface Destination {
  site: number;
  project?: number;
  batch?: number;
  camType?: string;
}

export type UploadState = "waiting" | "sending" | "created" | "existing" | "quarantined" | "unpacking" | "failed";

export interface UploadRow {
  id: string;
  name: string;
  file: File;
  to: Destination;
  state: UploadState;
  detail?: string;
  sha256?: string;
  tries: number;
}

export interface Picked {
  file: File;
  /** With its folders. */
  name: string;
}

export const isZip = (row: { name: string }) => /\.zip$/i.test(row.name);
const isOpen = (row: UploadRow) => row.state === "waiting" || row.state === "sending";

/** How long to wait before the n-th try, in ms: doubling, capped, spread so that many stations do not return together. */
export const pauseMs = (tries: number, chance: number) => Math.min(MAX_PAUSE_MS, 1000 * 2 ** (tries - 1)) * (0.75 + chance / 2);

const page = `${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`;
let last = 0;
/** Of its own among those of earlier pages. */
const nextId = () => `${page}-${++last}`;

const sameDestination = (a: Destination, b: Destination) => a.site === b.site && a.project === b.project && a.batch === b.batch && a.camType === b.camType;

/** The next rows to send together: of one destination, few enough, or one alone that is large or a zip. */
export function nextBatch(rows: Iterable<UploadRow>): UploadRow[] {
  const batch: UploadRow[] = [];
  let size = 0;
  for (const row of rows) {
    if (row.state !== "waiting") continue;
    const first = batch[0];
    if (first && (isZip(row) || !sameDestination(row.to, first.to) || size + row.file.size > BATCH_BYTES)) break;
    batch.push(row);
    size += row.file.size;
    if (isZip(row) || batch.length >= BATCH_FILES) break;
  }
  return batch;
}

export interface UploadStatus {
  rows: readonly UploadRow[];
  counts: Readonly<Record<UploadState, number>>;
  paused: boolean;
  /** The network is gone: trying again by itself. */
  cut: boolean;
  jobs: readonly number[];
  /** Every file that is left would survive a reload. */
  kept: boolean;
}

const NO_COUNTS: Record<UploadState, number> = { waiting: 0, sending: 0, created: 0, existing: 0, quarantined: 0, unpacking: 0, failed: 0 };

export class UploadQueue {
  private rows = new Map<string, UploadRow>();
  private paused = false;
  private cut = false;
  private cutAt = 0;
  private unkept = new Set<string>();
  private jobs: number[] = [];
  private running = 0;
  private retryAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private listeners = new Set<() => void>();
  private told: ReturnType<typeof setTimeout> | undefined;
  private status: UploadStatus = { rows: [], counts: NO_COUNTS, paused: false, cut: false, jobs: [], kept: true };

  constructor(private readonly onTaken: () => void) {
    if (typeof window === "undefined") return;
    window.addEventListener("online", () => this.wake());
    window.addEventListener("beforeunload", (event) => {
      if (!this.status.kept) event.preventDefault();
    });
  }

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  read = () => this.status;

  add(picked: readonly Picked[], to: Destination): void {
    const rows = picked.map(({ file, name }): UploadRow => ({ id: nextId(), name, file, to, state: "waiting", tries: 0 }));
    for (const row of rows) {
      this.rows.set(row.id, row);
      this.unkept.add(row.id);
    }
    void this.keepAll(rows);
    this.work();
  }

  /** Goes on with what an earlier page left. */
  restore(files: readonly KeptFile[]): void {
    for (const { id, name, file, to } of files) if (!this.rows.has(id)) this.rows.set(id, { id, name, file, to, state: "waiting", tries: 0 });
    this.work();
  }

  pause(): void {
    this.paused = true;
    this.tell();
  }
  resume(): void {
    this.paused = false;
    this.wake();
  }
  retryFailed(): void {
    const failed = [...this.rows.values()].filter((row) => row.state === "failed");
    for (const row of failed) this.change(row, { state: "waiting", tries: 0, detail: undefined });
    void this.keepAll(failed);
    this.wake();
  }
  /** Forgets what is done; with `all`, what is waiting too. */
  clear(all = false): void {
    const gone = [...this.rows.values()].filter((row) => (all ? row.state !== "sending" : !isOpen(row))).map((row) => row.id);
    for (const id of gone) {
      this.rows.delete(id);
      this.unkept.delete(id);
    }
    void forget(gone);
    this.jobs = [];
    this.tell();
  }

  private wake(): void {
    this.retryAt = 0;
    this.work();
  }

  private async keepAll(rows: readonly UploadRow[]): Promise<void> {
    const kept = await keep(rows.map(({ id, name, file, to }) => ({ id, name, file, to })));
    for (const id of kept) this.unkept.delete(id);
    // what was taken before it could be kept need not be
    await forget(kept.filter((id) => !this.rows.has(id) || !isOpen(this.rows.get(id) as UploadRow)));
    this.tell();
  }

  private change(row: UploadRow, change: Partial<UploadRow>): void {
    Object.assign(row, change);
    if (!isOpen(row)) this.unkept.delete(row.id);
    this.tell();
  }

  private settle(row: UploadRow, state: UploadState, detail?: string): void {
    this.change(row, { state, detail });
    void forget([row.id]);
  }

  private tell(): void {
    this.told ??= setTimeout(() => {
      this.told = undefined;
      const rows = [...this.rows.values()].map((row) => ({ ...row }));
      const counts = { ...NO_COUNTS };
      for (const row of rows) counts[row.state] += 1;
      this.status = { rows, counts, paused: this.paused, cut: this.cut, jobs: this.jobs, kept: this.unkept.size === 0 };
      this.listeners.forEach((listener) => listener());
    }, 100);
  }

  private work(): void {
    this.tell();
    clearTimeout(this.timer);
    const wait = this.retryAt - Date.now();
    if (wait > 0) {
      this.timer = setTimeout(() => this.work(), wait);
      return;
    }
    // while the network is gone one batch tries whether it is back
    while (!this.paused && this.running < (this.cut ? 1 : PARALLEL)) {
      const batch = nextBatch(this.rows.values());
      if (batch.length === 0) return;
      for (const row of batch) this.change(row, { state: "sending", tries: row.tries + 1 });
      this.running += 1;
      void this.send(batch).finally(() => {
        this.running -= 1;
        this.work();
      });
    }
  }

  private async send(batch: UploadRow[]): Promise<void> {
    const startedAt = Date.now();
    try {
      const first = batch[0];
      if (first && isZip(first)) await this.sendZip(first);
      else await this.sendPhotos(batch);
      // what was on its way before the cut proves nothing
      if (startedAt > this.cutAt) this.cut = false;
      this.onTaken();
    } catch (error) {
      const problem = asProblem(error);
      const lost = problem.code === "network";
      const open = batch.filter((row) => row.state === "sending");
      if (lost) {
        this.cut = true;
        this.cutAt = Date.now();
      }
      for (const row of open) {
        // without a network nothing is given up; a server in trouble is asked a few times
        if (lost || (problem.retryable && row.tries < GIVE_UP_AFTER)) this.change(row, { state: "waiting" });
        else this.change(row, { state: "failed", detail: problem.detail });
      }
      if (problem.retryable) this.retryAt = Date.now() + pauseMs(Math.max(1, ...open.map((row) => Math.min(row.tries, GIVE_UP_AFTER))), Math.random());
    }
  }

  private async sendPhotos(batch: UploadRow[]): Promise<void> {
    for (const row of batch) row.sha256 ??= await sha256(row.file);
    const hashes = batch.flatMap((row) => row.sha256 ?? []).slice(0, ASK_FILES);
    const to = (batch[0] as UploadRow).to;
    if (hashes.length > 0) {
      const { known } = await call(api.POST("/api/v1/captures/known", { body: { site: to.site, project: to.project, batch: to.batch, sha256: hashes } }));
      const found = new Set(known.map((one) => one.sha256));
      for (const row of batch) if (row.sha256 && found.has(row.sha256)) this.settle(row, "existing");
    }
    const rest = batch.filter((row) => row.state === "sending");
    if (rest.length === 0) return;
    const form = formFor(to);
    for (const row of rest) {
      form.append("files", row.file, row.file.name);
      form.append("names", row.name);
    }
    const { results } = await postForm<{ results: UploadResult[] }>("/api/v1/captures", form);
    rest.forEach((row, index) => {
      const result = results[index];
      if (result) this.settle(row, result.status, result.quarantine?.detail);
      else this.change(row, { state: "failed", detail: "" });
    });
  }

  private async sendZip(row: UploadRow): Promise<void> {
    const form = formFor(row.to);
    form.append("file", row.file, row.file.name);
    const { job } = await postForm<{ job: number }>("/api/v1/captures/zip", form);
    this.jobs = [...this.jobs, job];
    this.settle(row, "unpacking");
  }
}

function formFor(to: Destination): FormData {
  const form = new FormData();
  form.append("site", String(to.site));
  if (to.project !== undefined) form.append("project", String(to.project));
  if (to.batch !== undefined) form.append("batch", String(to.batch));
  if (to.camType) form.append("cam_type", to.camType);
  return form;
}

/** In hex; undefined where the page is not served securely and the browser therefore does not reckon it. */
async function sha256(file: File): Promise<string | undefined> {
  // over plain HTTP there is no `subtle`, whatever the types say
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (!subtle) return undefined;
  const digest = await subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
