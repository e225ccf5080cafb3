import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { beforeAll, beforeEach, expect, it } from "vitest";
import { projectsQuery } from "@/features/projects/projects";
import { speak } from "@/lib/i18n/testing";
import { Comparison } from "./Comparison";
import { GatePanel } from "./GatePanel";
import { RunDetailView } from "./RunDetailView";
import { RunsPanel } from "./RunsPanel";
import { SchedulePanel } from "./SchedulePanel";
import { VersionsPanel } from "./VersionsPanel";

const SITE = 7;
let client: QueryClient;
const known = (key: readonly unknown[], data: unknown) => client.setQueryData(key, data);
const pages = (results: unknown[]) => ({ pages: [{ results, next: null, previous: null }], pageParams: [""] });
const html = (element: ReactElement) =>
  renderToStaticMarkup(
    <MantineProvider>
      <QueryClientProvider client={client}>{element}</QueryClientProvider>
    </MantineProvider>,
  );
/** How often a test id that begins so is there. */
const count = (text: string, id: string) => text.split(`data-testid="${id}`).length - 1;
/** The tag that carries a test id. */
const tag = (text: string, id: string) => new RegExp(`<[^<]*data-testid="${id}"[^>]*>`).exec(text)?.[0] ?? "";

beforeAll(() => speak("en"));
beforeEach(() => {
  client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  known(projectsQuery.queryKey, [{ id: 3, name: "Main", site: { id: SITE } }, { id: 4, name: "Elsewhere", site: { id: 8 } }]);
});

const model = (number: number) => ({ id: 10 + number, site: SITE, number, name: `v${number}`, digest: String(number).repeat(64), parent: number > 1 ? `v${number - 1}` : null, source: "trained", refusal: "", created_at: "2026-05-01T08:00:00Z" });
const live = { base: true, champion: model(2), previous: model(1), steps: 1, challenger: model(3), challenger_share: 0.1, rollout: null, revision: 5, changed_at: null, changes: [] };

function versions(now: unknown, models: unknown[]): string {
  known(["models", SITE, "live"], now);
  known(["models", SITE, "versions"], pages(models));
  return html(<VersionsPanel site={SITE} />);
}

it("marks what is live and what is tried, and offers the way back", () => {
  const text = versions(live, [model(3), { ...model(2), refusal: "is not what was sealed" }, model(1)]);
  expect(count(text, "model-")).toBe(3);
  expect([count(text, "promote-2"), count(text, "promote-3"), count(text, "roll-back"), count(text, "trial-end")]).toEqual([0, 1, 1, 1]);
  expect(text).toContain("is not what was sealed");
  expect(tag(text, "trial-share-13")).toContain('value="10%"');
});

it("lets nothing be promoted or tried while a model is being prepared", () => {
  const text = versions({ ...live, rollout: 44 }, [model(3), model(2), model(1)]);
  for (const id of ["promote-1", "promote-3", "trial-11", "trial-13"]) expect([id, tag(text, id)]).toEqual([id, expect.stringContaining("disabled")]);
  expect(text).toContain("A model is being prepared");
});

it("says that a site has no model of its own", () => {
  const text = versions({ ...live, champion: null, previous: null, challenger: null, steps: 0 }, []);
  expect([count(text, "roll-back"), count(text, "model-")]).toEqual([0, 0]);
  expect(text).toContain("No model of its own yet");
  expect(versions({ ...live, base: false, champion: null, challenger: null }, [])).toContain("without a caption model");
});

it("sets two versions beside each other, with the sign of the change", () => {
  const figures = [
    { figure: "val.sku", one: 0.8, other: 0.85, change: 0.05 },
    { figure: "val.ece", one: 0.04, other: 0.031, change: -0.009 },
    { figure: "val.new", one: null, other: 1, change: null },
  ];
  known(["models", "compare", 11, 12], { one: model(1), other: model(2), figures });
  const text = html(<Comparison one={11} other={12} />);
  expect(text).toContain("+0.05");
  expect(text).toContain("-0.009");
  expect(text).toContain("<td>–</td><td>1</td><td>–</td>");
});

const run = { id: 5, site: SITE, project: 3, state: "kept", active: false, cancelling: false, method: "lora", arguments: {}, trigger: "person", trigger_facts: {}, requested_by: "Adam", snapshot: 1, version: { id: 13, name: "v3" }, champion: { id: 12, name: "v2" }, attempt: 1, host: "", stage: "", done: 0, total: null, figures: {}, timings_s: { training: 840.4 }, passed: false, error: null, created_at: "2026-05-01T08:00:00Z", started_at: null, ended_at: null };
const shown = (one: object): string => html(<RunDetailView run={{ ...run, ...one } as Parameters<typeof RunDetailView>[0]["run"]} />);

it("draws the course of a run, and says why it was kept", () => {
  const part = { part: "field", key: "quantity", photos: 40, champion: 0.9, challenger: 0.84, difference: -0.06, low: -0.1, high: -0.02 };
  known(["training", SITE, "curve", 5], { epochs: [1, 2, 3].map((done) => ({ done, loss: 2 / done, rate: 0.001, memory_mb: 900, val: { caption: done / 4 } })) });
  known(["training", SITE, "run", 5, "kept"], { ...run, gate: { passed: false, reasons: [{ code: "gate_fell", params: {}, message: "Quantity fell by 6 points" }], differences: [part] } });
  known(["training", SITE, "log", 5], { tail: "epoch 3" });
  known(["training", SITE, "results", 5, "wrong"], { photos: 40, wrong: 1, won: 2, lost: 3, confusions: [], pictures: [{ image_id: "IMG_9", capture: null, thumb: null, change: "lost", group: "val", fields: [{ field: "sku", truth: "A", said: "B", confidence: 0.9, right: false }] }] });
  const text = shown({});
  expect(text.split("<svg").length - 1).toBe(2);
  expect(text).toContain("Quantity fell by 6 points");
  expect(text).toContain("-6.0");
  expect(text).toContain("IMG_9");
  expect(text).toContain("epoch 3");
  expect(tag(text, "verdict")).toContain("tag dispute");
});

it("says that a run has no epoch yet", () => {
  known(["training", SITE, "curve", 5], { epochs: [] });
  known(["training", SITE, "run", 5, "training"], { ...run, gate: null });
  known(["training", SITE, "log", 5], { tail: "" });
  const text = shown({ state: "training", active: true, passed: null });
  expect(text).not.toContain("<svg");
  expect(count(text, "verdict")).toBe(0);
});

it("starts no second run beside one at work, which can be cancelled", () => {
  known(["training", SITE, "runs"], pages([{ ...run, id: 6, state: "training", active: true, stage: "epochs", done: 3, total: 12 }, { ...run, state: "failed", error: { code: "x", params: {}, message: "The disk is full" } }]));
  const text = html(<RunsPanel site={SITE} />);
  expect(tag(text, "training-start")).toContain("disabled");
  expect([count(text, "run-cancel-6"), count(text, "run-retry-5"), count(text, "run-retry-6")]).toEqual([1, 1, 0]);
  expect(text).toContain("The disk is full");
  expect(text).not.toContain("Elsewhere");
});

it("offers the first run where there was none", () => {
  known(["training", SITE, "runs"], pages([]));
  const text = html(<RunsPanel site={SITE} />);
  expect(tag(text, "training-start")).not.toContain("disabled");
});

const schedule = { project: 3, enabled: true, method: "lora", arguments: {}, timezone: "Asia/Tokyo", hour: 2, weekday: null, new_decisions: 500, drift_fall: 0.05, version: 4 };

it("shows a schedule as it was saved, and one that is off before that", () => {
  known(["training", SITE, "schedule"], schedule);
  const saved = html(<SchedulePanel site={SITE} />);
  expect(saved).toContain('value="Asia/Tokyo"');
  expect(tag(saved, "schedule-count")).toContain('value="500"');
  expect(tag(saved, "schedule-drift")).toContain('value="5%"');
  expect(tag(saved, "schedule-enabled")).toContain("checked");
  known(["training", SITE, "schedule"], { ...schedule, enabled: false, version: 0, hour: null, new_decisions: null, drift_fall: null });
  const none = html(<SchedulePanel site={SITE} />);
  expect(tag(none, "schedule-enabled")).not.toContain("checked");
  expect(none).not.toContain("Asia/Tokyo");
});

it("shows the gate in percent", () => {
  known(["training", SITE, "gate"], { margin: 0, field_fall: 0.02, category_fall: 0.05, tail_fall: 0.035, gold_fall: 0.02, min_photos: 20, auto_promote: false, version: 1 });
  const text = html(<GatePanel site={SITE} />);
  expect(tag(text, "gate-tail_fall")).toContain('value="3.5%"');
  expect(tag(text, "gate-auto")).not.toContain("checked");
});
