import { MantineProvider } from "@mantine/core";
import type { ReactElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { GoldResult } from "@/features/tasks/GoldImport";
import { QualityRules, THRESHOLDS, type Rules } from "@/features/projectEditor/QualityRules";
import { startI18n } from "@/lib/i18n";
import { Overlap } from "./Overlap";
import type { QualityReport } from "./quality";

const html = (page: ReactElement) => renderToStaticMarkup(<MantineProvider>{page}</MantineProvider>);

beforeAll(async () => {
  vi.stubGlobal("document", { documentElement: { lang: "" } });
  await startI18n("en");
  vi.unstubAllGlobals();
});

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

describe("the rules of quality", () => {
  const rules = { gold_rate: 0.05, newcomer_gold_rate: 0.2, spot_half_width: 0.004, spot_most: 0.5, single_limit: 0.01, audit_share: 0.1, newcomer_tasks: 20, thresholds: { time: 75 } } as unknown as Rules;

  test("shares are shown in percent, own thresholds with their value, usual ones empty", () => {
    const page = html(<QualityRules rules={rules} errorOf={() => undefined} onChange={() => undefined} />);
    expect(page).toMatch(/data-testid="rule-gold_rate"[^>]*value="5 %"|value="5 %"[^>]*data-testid="rule-gold_rate"/);
    expect(page).toContain('value="0.4 %"');
    expect(page).toContain('value="75"');
    for (const key of THRESHOLDS) expect(page).toContain(`data-testid="threshold-${key}"`);
  });

  test("what the server objects to stands at its field", () => {
    expect(html(<QualityRules rules={rules} errorOf={(key) => (key === "quality.spot_most" ? "too much" : undefined)} onChange={() => undefined} />)).toContain("too much");
  });
});

describe("imported gold tasks", () => {
  test("what was made is told", () => {
    const page = html(<GoldResult report={{ made: 7, decided: 3, errors: [] }} />);
    expect(page).toContain('data-testid="gold-imported"');
    expect(page).toMatch(/7.*3/);
  });

  test("each bad row has its line and its words", () => {
    const page = html(<GoldResult report={{ made: 0, decided: 0, errors: [{ line: 4, column: "caption", value: "", code: "required", message: "Fill this in" }] }} />);
    expect(page).toContain('role="alert"');
    expect(page).toMatch(/4.*caption.*Fill this in/);
  });
});
