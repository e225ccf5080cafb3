import { describe, expect, it } from "vitest";
import { idleAfter, leaseStep, warnBefore } from "./lease";

const ten = { leaseMs: 600_000 };

describe("a lease", () => {
  it("rests while it is fresh, is extended by activity, and by activity only", () => {
    expect(leaseStep({ ...ten, remainingMs: 590_000, idleMs: 0 })).toBe("rest");
    expect(leaseStep({ ...ten, remainingMs: 300_000, idleMs: 1000 })).toBe("extend");
    expect(leaseStep({ ...ten, remainingMs: 300_000, idleMs: 40_000 })).toBe("rest");
  });
  it("announces its end before it comes", () => {
    expect(leaseStep({ ...ten, remainingMs: 60_000, idleMs: 240_000 })).toBe("warn");
    expect(leaseStep({ ...ten, remainingMs: 1, idleMs: 500_000 })).toBe("warn");
    expect(leaseStep({ ...ten, remainingMs: 0, idleMs: 500_000 })).toBe("over");
  });
  it("tries even after the end when the person is back", () => expect(leaseStep({ ...ten, remainingMs: -5000, idleMs: 10 })).toBe("extend"));
  it.each([30_000, 60_000, 600_000, 86_400_000])("of %i ms never goes from rest to over without a warning", (leaseMs) => {
    const steps = [];
    for (let remainingMs = leaseMs; remainingMs >= -1000; remainingMs -= 500) steps.push(leaseStep({ leaseMs, remainingMs, idleMs: leaseMs - remainingMs + idleAfter(leaseMs) }));
    expect([...new Set(steps)]).toEqual(["rest", "warn", "over"]);
    expect(warnBefore(leaseMs)).toBeLessThan(leaseMs / 2);
  });
});
