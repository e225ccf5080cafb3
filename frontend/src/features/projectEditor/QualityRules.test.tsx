import { beforeAll, describe, expect, test } from "vitest";
import { html, inEnglish } from "@/lib/rendered";
import { QualityRules, THRESHOLDS, type Rules } from "./QualityRules";

beforeAll(inEnglish);

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
