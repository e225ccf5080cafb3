import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Problem } from "@/api/problem";
import type { Assignment } from "@/api/types";
import { Desk, type DeskApi, type DeskEvent, type Submission } from "./desk";

const photo = (id: number): Assignment => ({ id, token: `t${id}`, task: { id: id * 10 }, expires_at: "2100-01-01T00:00:00Z", captures: [] }) as unknown as Assignment;
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
    withdraw: vi.fn((id: number) => Promise.resolve(photo(id / 100))),
    warm: vi.fn(),
  } satisfies DeskApi;
  const store = { load: () => null, save: vi.fn() };
  const desk = new Desk(api, store, (event) => events.push(event));
  return { desk, api, store, events, kinds: () => events.map((event) => event.kind) };
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
    const { desk, api, store } = setup();
    await desk.start();
    api.submit.mockImplementationOnce(offline).mockImplementationOnce(offline);
    await desk.submit(body, "c");
    expect(desk.snapshot().pending).toMatchObject([{ waiting: true }]);
    expect(store.save).toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(desk.snapshot().pending).toEqual([]);
    expect(new Set(api.submit.mock.calls.map((call) => (call as unknown[])[2])).size).toBe(1);
    expect(api.submit).toHaveBeenCalledTimes(3);
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
});
