import { expect, it } from "vitest";
import { dayOf, endOfDay } from "./dueDate";

it("keeps the day that was chosen, wherever the clock stands", () => {
  for (const day of ["2026-01-01", "2026-03-29", "2026-10-25", "2026-12-31"]) expect(dayOf(endOfDay(day))).toBe(day);
});

it("takes no date for none", () => {
  expect(endOfDay("")).toBeNull();
  expect(endOfDay("2026-13-45")).toBeNull();
  expect(dayOf(null)).toBe("");
});
