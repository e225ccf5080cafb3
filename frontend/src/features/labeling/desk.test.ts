import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Problem } from "@/api/problem";
import type { Assignment, Lookalikes } from "@/api/types";
import { Desk, type DeskApi, type DeskEvent, type DeskStore, type Lost, type PendingSubmit, type Submission } from "./desk";
import type { KeptDraft } from "./keep";

const LEASE_MS = 600_000;
const photo = (id: number, grid = ""): Assignment => ({ id, token: `t${id}`, task: { id: id * 10 }, state: "active", draft: null, suggestion: null, grid, captures: [] }) as unknown as Assignment;
const body: Submission = { token: "t", fields: {}, boxes: [], attributes: {}, active_seconds: 3, suggestion_used: {} };
const offline = () => Promise.reject(new Problem(0, { code: "network" }));

function setup(queue = [1, 2, 3, 4]) {
  const events: DeskEvent[] = [];
  const left = [...queue];
  const api = {
    next: vi.fn(() => Promise.resolve(left.length ? photo(left.shift() ?? 0) : null)),
    submit: vi.fn((id: number) => Promise.resolve({ id: id * 100, task: id * 10, caption: "c", created_at: "", withdraw_until: "" })),
    skip: vi.fn(() => Promise.resolve()),
    release: vi.fn(() => Promise.resolve()),
    withdraw: vi.fn((id: number) => Promise.resolve(photo(id / 100, id / 100 > 50 ? "g" : ""))),
    extend: vi.fn(() => Promise.resolve("")),
    look: vi.fn((id: number) => Promise.resolve(photo(id))),
    takeLookalikes: vi.fn((): Promise<Lookalikes | null> => Promise.resolve({ grid: "g", sku: null, assignments: [51, 52, 53].map((id) => photo(id, "g")) })),
    keepLookalikes: vi.fn(() => Promise.resolve()),
    giveBackLookalikes: vi.fn(() => Promise.resolve()),
    warm: vi.fn(),
  } satisfies DeskApi;
  const kept = { pending: new Map<string, PendingSubmit>(), lost: [] as readonly Lost[], drafts: [] as KeptDraft[] };
  const store = {
    load: () => Promise.resolve({ pending: [...kept.pending.values()], lost: kept.lost, drafts: [...kept.drafts] }),
    put: (entries: readonly PendingSubmit[]) => entries.forEach((entry) => kept.pending.set(entry.key, entry)),
    drop: (key: string) => kept.pending.delete(key),
    saveLost: (lost: readonly Lost[]) => (kept.lost = lost),
    dropDraft: (id: number) => (kept.drafts = kept.drafts.filter((one) => one.assignment !== id)),
  } satisfies DeskStore;
  const open = () => new Desk(api, store, (event) => events.push(event), LEASE_MS);
  const desk = open();
  return { open, kept, desk, api, store, events, kinds: () => events.map((event) => event.kind) };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("the desk", () => {
  it("holds the photo in work and one beside it, never the same twice", async () => {
    const { desk, api } = setup();
    await desk.start();
    expect([desk.snapshot().current?.id, desk.snapshot().next?.id]).toEqual([1, 2]);
    expect(api.next.mock.calls).toEqual([[[]], [[1]]]);
    expect(api.warm).toHaveBeenCalledTimes(2);
  });

  it("switches before the server has answered, and refills after", async () => {
    const { desk, kinds } = setup();
    await desk.start();
    const done = desk.submit(body, "c");
    expect(desk.snapshot().current?.id).toBe(2);
    await done;
    expect(kinds()).toEqual(["submitted"]);
    expect(desk.snapshot().next?.id).toBe(3);
  });

  it("keeps a submit through a network loss and sends it with the same key", async () => {
    const { desk, api, kept, events } = setup();
    await desk.start();
    api.submit.mockImplementationOnce(offline).mockImplementationOnce(offline);
    await desk.submit(body, "c");
    expect(desk.snapshot().pending).toMatchObject([{ waiting: true }]);
    expect([...kept.pending.values()]).toMatchObject([{ assignment: { id: 1 } }]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(desk.snapshot().pending).toEqual([]);
    expect(new Set(api.submit.mock.calls.map((call) => (call as unknown[])[2])).size).toBe(1);
    expect(api.submit).toHaveBeenCalledTimes(3);
    expect(kept.pending.size).toBe(0);
    expect(events).toMatchObject([{ kind: "submittedTogether", late: true, receipts: [{ id: 100 }] }]);
  });

  it("brings a refused photo back with the objections", async () => {
    const { desk, api, kinds } = setup();
    await desk.start();
    api.submit.mockImplementationOnce(() => Promise.reject(new Problem(400, { code: "invalid", errors: [{ field: "spec", code: "x", message: "m" }] })));
    await desk.submit(body, "c");
    expect(kinds()).toEqual(["objected"]);
    expect(desk.snapshot()).toMatchObject({ current: { id: 1 }, next: { id: 2 }, objections: [{ field: "spec" }] });
  });

  it("keeps what was typed when the lease was lost", async () => {
    const { desk, api, kinds } = setup();
    await desk.start();
    api.submit.mockImplementationOnce(() => Promise.reject(new Problem(409, { code: "stale_token", detail: "gone" })));
    await desk.submit(body, "what was typed");
    expect(kinds()).toEqual(["stale"]);
    expect(desk.snapshot().lost).toMatchObject([{ caption: "what was typed", detail: "gone" }]);
    expect(desk.snapshot().current?.id).toBe(2);
  });

  it("takes a submit back and gives the surplus photo away", async () => {
    const { desk, api } = setup();
    await desk.start();
    await desk.submit(body, "c");
    await desk.withdraw(100);
    expect([desk.snapshot().current?.id, desk.snapshot().next?.id]).toEqual([1, 2]);
    expect(api.release.mock.calls).toMatchObject([[{ id: 3 }]]);
  });

  it("says when nothing is left, and looks again by itself", async () => {
    const { desk, api } = setup([]);
    await desk.start();
    expect(desk.snapshot().phase).toBe("empty");
    api.next.mockImplementationOnce(() => Promise.resolve(photo(9)));
    await vi.advanceTimersByTimeAsync(21_000);
    expect(desk.snapshot()).toMatchObject({ phase: "working", current: { id: 9 } });
  });

  it("gives the photo beside back when the page is left", async () => {
    const { desk, api } = setup();
    await desk.start();
    desk.stop();
    expect(api.release.mock.calls).toMatchObject([[{ id: 2 }]]);
  });

  it("sends what an earlier page left, under the keys that it had", async () => {
    const { desk, open, api, kept } = setup();
    await desk.start();
    api.submit.mockImplementation(offline);
    await desk.submit(body, "c");
    await desk.submit(body, "c");
    desk.stop();
    const keys = [...kept.pending.keys()];
    api.submit.mockReset().mockImplementation((id) => Promise.resolve({ id: id * 100, task: id * 10, caption: "c", created_at: "", withdraw_until: "" }));
    const again = open();
    await again.start();
    expect(api.submit.mock.calls.map((call) => (call as unknown[])[2])).toEqual(keys);
    expect(kept.pending.size).toBe(0);
  });

  it("waits with what is typed when the session has ended", async () => {
    const { desk, api, kept, kinds } = setup();
    await desk.start();
    api.submit.mockImplementationOnce(() => Promise.reject(new Problem(401, { code: "not_authenticated" })));
    await desk.submit(body, "c");
    expect(kept.pending.size).toBe(1);
    expect(desk.snapshot().lost).toEqual([]);
    await desk.wake();
    expect(kinds()).toEqual(["submittedTogether"]);
  });

  it("brings back what was typed before the tab closed, and tells of what cannot come back", async () => {
    const { desk, api, kept } = setup([1]);
    const draft = { ...body, active_seconds: 7 };
    kept.drafts = [1, 8, 9, 7].map((assignment) => ({ assignment, task: assignment * 10, caption: `typed ${assignment}`, draft }));
    api.look.mockImplementation((id) => Promise.resolve({ ...photo(id), state: id === 8 ? "submitted" : id === 9 ? "expired" : "active" }));
    await desk.start();
    expect(desk.snapshot().current).toMatchObject({ id: 1, draft: { active_seconds: 7 } });
    expect(desk.snapshot().lost).toMatchObject([{ task: 90, caption: "typed 9" }]);
    expect(kept.drafts.map((one) => one.assignment)).toEqual([1, 7]);
  });

  it("hands everything to the tab that takes over", async () => {
    const { desk, open, api, kept } = setup();
    await desk.start();
    let answer = (): void => undefined;
    api.submit.mockImplementationOnce((id) => new Promise((resolve) => (answer = () => resolve({ id, task: 0, caption: "", created_at: "", withdraw_until: "" }))));
    const done = desk.submit(body, "c");
    desk.halt();
    expect(desk.snapshot()).toMatchObject({ current: null, next: null, pending: [] });
    expect(api.release).not.toHaveBeenCalled();
    const other = open();
    await other.start();
    expect(api.submit).toHaveBeenCalledTimes(2);
    expect(new Set(api.submit.mock.calls.map((call) => (call as unknown[])[2])).size).toBe(1);
    answer();
    await done;
    expect(kept.pending.size).toBe(0);
  });

  it("keeps leases for somebody at work, and says when one is gone", async () => {
    const { desk, api, kinds } = setup();
    await desk.start();
    const ends = desk.leaseEnds(photo(1));
    await vi.advanceTimersByTimeAsync(60_000);
    await desk.extend();
    expect(desk.leaseEnds(photo(1)) - ends).toBe(60_000);
    expect(api.extend).toHaveBeenCalledTimes(2);
    const gone = () => Promise.reject(new Problem(409, { code: "lease_expired" }));
    api.extend.mockImplementationOnce(offline).mockImplementationOnce(gone);
    await desk.extend();
    expect(desk.snapshot()).toMatchObject({ current: { id: 1 }, next: null });
    api.extend.mockImplementationOnce(gone);
    await desk.extend();
    expect(kinds()).toEqual(["leaseLost"]);
  });

  it("drops a photo beside whose lease ran out", async () => {
    const { desk } = setup();
    await desk.start();
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    desk.extended(1);
    await desk.submit(body, "c");
    expect(desk.snapshot().current?.id).toBe(3);
  });
});

describe("look-alikes", () => {
  const confirmed = (...ids: number[]) => ids.map((id) => ({ assignment: photo(id, "g"), body, caption: "c" }));

  it("are submitted each for itself, and what is knocked out is given back", async () => {
    const { desk, api, events } = setup();
    await desk.start();
    await desk.openLookalikes();
    expect(desk.snapshot()).toMatchObject({ grid: { grid: "g" }, current: { id: 1 }, next: { id: 2 } });
    await desk.confirmLookalikes(confirmed(51, 53), [52]);
    expect(desk.snapshot()).toMatchObject({ grid: null, current: { id: 1 }, next: { id: 2 }, pending: [] });
    expect(api.giveBackLookalikes.mock.calls).toEqual([["g", [51, 53], [52]]]);
    const calls = api.submit.mock.calls as unknown[][];
    expect(calls.map((call) => call[0])).toEqual([51, 53]);
    expect(new Set(calls.map((call) => call[2])).size).toBe(2);
    expect(events).toMatchObject([{ kind: "submittedTogether", alike: true, late: false, receipts: [{ id: 5100 }, { id: 5300 }] }]);
  });

  it("do not count as what is held singly", async () => {
    const { desk, api } = setup();
    await desk.start();
    await desk.openLookalikes();
    api.submit.mockImplementation(offline);
    await desk.confirmLookalikes(confirmed(51, 52, 53), []);
    expect(api.giveBackLookalikes).not.toHaveBeenCalled();
    expect(desk.snapshot().pending).toHaveLength(3);
    await desk.skip("other", "");
    expect(desk.snapshot()).toMatchObject({ current: { id: 2 }, next: { id: 3 } });
  });

  it("come back into their grid when they are withdrawn or refused", async () => {
    const { desk, api, kinds } = setup();
    await desk.start();
    await desk.withdraw(5100, 5200);
    expect(desk.snapshot()).toMatchObject({ current: { id: 1 }, grid: { grid: "g", assignments: [{ id: 51 }, { id: 52 }] } });
    api.submit.mockImplementationOnce(() => Promise.reject(new Problem(400, { code: "invalid" })));
    await desk.confirmLookalikes(confirmed(51, 52), []);
    expect(kinds()).toEqual(["withdrawn", "objected", "submittedTogether"]);
    expect(desk.snapshot().grid?.assignments).toMatchObject([{ id: 51, draft: { active_seconds: 3 } }]);
  });

  it("are given back when they are left, and when the page is", async () => {
    const { desk, api } = setup();
    await desk.start();
    await desk.openLookalikes();
    desk.leaveLookalikes();
    await desk.openLookalikes();
    desk.stop();
    expect(api.giveBackLookalikes.mock.calls).toEqual([
      ["g", [], []],
      ["g", [], []],
    ]);
  });

  it("may be gone", async () => {
    const { desk, api, kinds } = setup();
    await desk.start();
    api.takeLookalikes.mockImplementationOnce(() => Promise.resolve(null));
    await desk.openLookalikes();
    expect(kinds()).toEqual(["noLookalikes"]);
    await desk.openLookalikes();
    api.keepLookalikes.mockImplementationOnce(() => Promise.reject(new Problem(409, { code: "lease_expired" })));
    await desk.extend();
    expect(desk.snapshot().grid).toBeNull();
  });
});
