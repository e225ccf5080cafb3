import { afterEach, describe, expect, it, vi } from "vitest";
import { OneTab } from "./oneTab";

/** As much of Web Locks as the tabs use: one holder, a queue, stealing. */
function fakeLocks(): LockManager {
  let steal: (() => void) | undefined;
  const queue: (() => void)[] = [];
  let held = false;
  const request = async (_: string, options: LockOptions, run: (lock: Lock | null) => unknown): Promise<void> => {
    if (options.steal) steal?.();
    else if (held && options.ifAvailable) {
      await run(null);
      return;
    } else if (held)
      await new Promise<void>((resolve, reject) => {
        queue.push(resolve);
        options.signal?.addEventListener("abort", () => reject(new Error("aborted")));
      });
    held = true;
    const theft = { done: false };
    const broken = new Promise<never>((_resolve, reject) => {
      steal = () => {
        theft.done = true;
        reject(new Error("stolen"));
      };
    });
    try {
      await Promise.race([Promise.resolve(run({ mode: "exclusive", name: "n" })), broken]);
    } finally {
      if (!theft.done) {
        held = false;
        queue.shift()?.();
      }
    }
  };
  return { request } as unknown as LockManager;
}

const open: OneTab[] = [];
function tab(name: string, locks: LockManager | null): OneTab {
  const made = new OneTab(name, locks);
  open.push(made);
  made.claim();
  return made;
}
const kinds = (...tabs: OneTab[]) => tabs.map((one) => one.snapshot().kind);
afterEach(() => open.splice(0).forEach((one) => one.close()));

describe.each(["with", "without"])("two tabs %s Web Locks", (way) => {
  const name = `tab-${way}`;
  const locks = () => (way === "with" ? fakeLocks() : null);

  it("the second hears what the first does, and may take over", async () => {
    const shared = locks();
    const first = tab(name, shared);
    await vi.waitFor(() => expect(kinds(first)).toEqual(["mine"]));
    first.announce("#12");
    const second = tab(name, shared);
    await vi.waitFor(() => expect(second.snapshot()).toMatchObject({ kind: "elsewhere", where: { text: "#12" }, taken: false }));
    second.takeOver();
    await vi.waitFor(() => expect(kinds(first, second)).toEqual(["elsewhere", "mine"]));
    expect(first.snapshot()).toMatchObject({ taken: true });
    first.takeOver();
    await vi.waitFor(() => expect(kinds(first, second)).toEqual(["mine", "elsewhere"]));
  });

  it("the second goes on when the first closes", async () => {
    const shared = locks();
    const first = tab(name, shared);
    await vi.waitFor(() => expect(kinds(first)).toEqual(["mine"]));
    const second = tab(name, shared);
    await vi.waitFor(() => expect(kinds(second)).toEqual(["elsewhere"]));
    first.close();
    await vi.waitFor(() => expect(kinds(second)).toEqual(["mine"]));
  });
});
