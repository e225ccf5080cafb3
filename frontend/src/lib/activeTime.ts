/** Seconds a person has really worked on a photo: idling beyond 30 s and hidden pages do not count. */
export const IDLE_AFTER_MS = 30_000;

export interface ActiveTime {
  countedMs: number;
  /** the last sign of life; null while the page is hidden */
  lastMs: number | null;
}

export const startTimer = (nowMs: number, seconds = 0): ActiveTime => ({ countedMs: seconds * 1000, lastMs: nowMs });

const sinceLast = (timer: ActiveTime, nowMs: number) => (timer.lastMs === null ? 0 : Math.min(Math.max(nowMs - timer.lastMs, 0), IDLE_AFTER_MS));

export const activity = (timer: ActiveTime, nowMs: number): ActiveTime => ({ countedMs: timer.countedMs + sinceLast(timer, nowMs), lastMs: nowMs });
export const hide = (timer: ActiveTime, nowMs: number): ActiveTime => ({ countedMs: timer.countedMs + sinceLast(timer, nowMs), lastMs: null });
export const activeSeconds = (timer: ActiveTime, nowMs: number): number => Math.round((timer.countedMs + sinceLast(timer, nowMs)) / 100) / 10;
export const isIdle = (timer: ActiveTime, nowMs: number): boolean => timer.lastMs === null || nowMs - timer.lastMs >= IDLE_AFTER_MS;
