import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Problem } from "@/api/problem";

const server = vi.hoisted(() => ({ known: vi.fn<(hashes: string[]) => string[]>(), post: vi.fn<(url: string, names: string[]) => unknown>() }));
vi.mock("@/api/client", () => ({
  api: { POST: (_: string, { body }: { body: { sha256: string[] } }) => Promise.resolve(body.sha256) },
  call: async (hashes: Promise<string[]>) => ({ known: server.known(await hashes).map((sha256) => ({ sha256, capture: 1 })) }),
}));
vi.mock("@/api/upload", () => ({
  // eslint-disable-next-line @typescript-eslint/require-await
  postForm: async (url: string, form: FormData) => server.post(url, form.has("file") ? [(form.get("file") as File).name] : form.getAll("names").map(String)),
}));
vi.mock("./keptFiles", () => ({ keep: (files: { id: string }[]) => Promise.resolve(files.map(({ id }) => id)), forget: () => Promise.resolve() }));

import { BATCH_BYTES, BATCH_FILES, nextBatch, pauseMs, UploadQueue, type UploadRow } from "./upload";

const to = { site: 1 };
const picked = (n: number, from = 0) => Array.from({ length: n }, (_, i) => ({ file: new File([`photo ${from + i}`], `${from + i}.jpg`), name: `a/${from + i}.jpg` }));
const created = (_: string, names: string[]) => ({ results: names.map((name) => ({ name, status: "created" })) });
const row = (size: number, change: Partial<UploadRow> = {}): UploadRow => ({ id: "", name: "a.jpg", file: { size } as File, to, state: "waiting", tries: 0, ...change });

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 50 });
  server.known.mockReset().mockReturnValue([]);
  server.post.mockReset().mockImplementation(created);
});
afterEach(() => vi.useRealTimers());

const settled = (queue: UploadQueue) => vi.waitFor(() => expect(queue.read().rows.length > 0 && queue.read().counts.waiting + queue.read().counts.sending).toBe(0), { timeout: 4000 });

it("sends few files together, large ones and zips alone", () => {
  expect(nextBatch(Array.from({ length: 20 }, () => row(10)))).toHaveLength(BATCH_FILES);
  expect(nextBatch([row(BATCH_BYTES + 1), row(1)])).toHaveLength(1);
  expect(nextBatch([row(1), row(BATCH_BYTES), row(1)])).toHaveLength(1);
  expect(nextBatch([row(1), row(1, { name: "b.ZIP" })])).toHaveLength(1);
  expect(nextBatch([row(1, { name: "b.zip" }), row(1)])).toHaveLength(1);
  expect(nextBatch([row(1), row(1, { to: { site: 2 } })])).toHaveLength(1);
  expect(nextBatch([row(1, { to: { site: 1, project: 1 } }), row(1, { to: { site: 1, project: 1, batch: 2 } })])).toHaveLength(1);
  expect(nextBatch([row(1, { state: "created" }), row(1, { state: "failed" })])).toHaveLength(0);
});

it("waits longer each time, never for long", () => {
  expect([1, 2, 3].map((n) => pauseMs(n, 0.5))).toEqual([1000, 2000, 4000]);
  expect(pauseMs(40, 1)).toBeLessThanOrEqual(37_500);
});

it("takes every file once, and none that the server has", async () => {
  server.known.mockImplementationOnce((hashes) => hashes.slice(0, 3));
  const queue = new UploadQueue(() => undefined);
  queue.add(picked(50), to);
  await settled(queue);
  expect(queue.read().counts).toMatchObject({ created: 47, existing: 3 });
  const sent = server.post.mock.calls.flatMap(([, names]) => names);
  expect(new Set(sent).size).toBe(sent.length);
});

it("outlives a cut network without losing or doubling a file", async () => {
  let calls = 0;
  server.post.mockImplementation((url, names) => {
    calls += 1;
    if (calls > 2 && calls < 9) throw new Problem(0, { code: "network" });
    return created(url, names);
  });
  const queue = new UploadQueue(() => undefined);
  queue.add(picked(60), to);
  await vi.waitFor(() => expect(queue.read().cut).toBe(true), { timeout: 4000 });
  await vi.waitFor(() => {
    vi.advanceTimersByTime(5000);
    expect(queue.read().counts.created).toBe(60);
  }, { timeout: 4000 });
  expect(queue.read()).toMatchObject({ cut: false, counts: { failed: 0, waiting: 0, sending: 0 } });
});

it("gives up on what the server refuses, and tries it again when asked", async () => {
  server.post.mockImplementationOnce(() => {
    throw new Problem(413, { detail: "too large" });
  });
  const queue = new UploadQueue(() => undefined);
  queue.add(picked(3), to);
  await settled(queue);
  expect(queue.read().rows.map((one) => [one.state, one.detail])).toEqual(Array(3).fill(["failed", "too large"]));
  queue.retryFailed();
  await vi.waitFor(() => expect(queue.read().counts.created).toBe(3));
});

it("stops when paused and goes on when resumed", async () => {
  const queue = new UploadQueue(() => undefined);
  queue.pause();
  queue.add(picked(10), to);
  await vi.advanceTimersByTimeAsync(500);
  expect(server.post).not.toHaveBeenCalled();
  queue.resume();
  await settled(queue);
  expect(queue.read().counts.created).toBe(10);
});

it("keeps the reason of a refused file, and hands a zip over as a job", async () => {
  server.post.mockImplementation((url, names) => (url.endsWith("/zip") ? { job: 7 } : { results: names.map((name) => ({ name, status: "quarantined", quarantine: { code: "x", detail: "broken" } })) }));
  const queue = new UploadQueue(() => undefined);
  queue.add([...picked(1), { file: new File(["zip"], "b.zip"), name: "b.zip" }], to);
  await settled(queue);
  expect(queue.read().rows.map((one) => [one.state, one.detail])).toEqual([["quarantined", "broken"], ["unpacking", undefined]]);
  expect(queue.read().jobs).toEqual([7]);
});
