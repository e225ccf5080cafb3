import { beforeAll, describe, expect, test } from "vitest";
import { html, inEnglish } from "@/lib/rendered";
import { Overlap } from "./Overlap";
import type { QualityReport } from "./quality";

beforeAll(inEnglish);

const OVERLAP = {
  state: "in_force",
  limit: 1,
  saved: 31.5,
  bound: 0.72,
  audits: 640,
  errors: 2,
  gathered: 40,
  next_look: 100,
  spot_checked: { value: 0.4, interval: [0.1, 1.2], count: 250 },
} as unknown as NonNullable<QualityReport["overlap"]>;

describe("what sparing second annotators rests on", () => {
  test("in force it says what is saved, the bound and its limit", () => {
    const page = html(<Overlap overlap={OVERLAP} />);
    expect(page).toContain('data-testid="overlap-in_force"');
    for (const figure of ["31.5", "0.72", "40 / 100", "640"]) expect(page).toContain(figure);
  });

  test("an alarm is an error", () => {
    expect(html(<Overlap overlap={{ ...OVERLAP, state: "alarmed" }} />)).toMatch(/class="error"[^>]*data-testid="overlap-alarmed"/);
  });
});
