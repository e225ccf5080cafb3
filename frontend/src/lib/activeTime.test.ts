import fc from "fast-check";
import { expect, it } from "vitest";
import { IDLE_AFTER_MS, activeSeconds, activity, hide, isIdle, startTimer } from "./activeTime";

it("counts work, stops after 30 s of idling, and while hidden", () => {
  let timer = startTimer(0);
  timer = activity(timer, 10_000);
  expect(activeSeconds(timer, 20_000)).toBe(20);
  expect(activeSeconds(timer, 500_000)).toBe(40);
  expect(isIdle(timer, 41_000)).toBe(true);
  timer = hide(timer, 12_000);
  expect(activeSeconds(timer, 90_000)).toBe(12);
  timer = activity(timer, 100_000);
  expect(activeSeconds(timer, 101_000)).toBe(13);
});

it("never counts more than the clock, nor more than 30 s a sign of life", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 120_000 }), { maxLength: 40 }), (gaps) => {
      let now = 0;
      let timer = startTimer(0);
      for (const gap of gaps) timer = activity(timer, (now += gap));
      expect(timer.countedMs).toBeLessThanOrEqual(now);
      expect(timer.countedMs).toBeLessThanOrEqual(gaps.length * IDLE_AFTER_MS);
    }),
  );
});

it("goes on from a draft", () => expect(activeSeconds(startTimer(0, 12.5), 1000)).toBe(13.5));
