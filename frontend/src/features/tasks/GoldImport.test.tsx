import { beforeAll, describe, expect, test } from "vitest";
import { html, inEnglish } from "@/lib/rendered";
import { GoldResult } from "./GoldImport";

beforeAll(inEnglish);

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
