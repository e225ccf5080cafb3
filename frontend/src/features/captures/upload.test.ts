import { expect, it } from "vitest";
import { BATCH_BYTES, BATCH_FILES, batches, queue } from "./upload";

const file = (size: number) => ({ name: "a.jpg", size }) as File;

it("sends at most 20 files and 60 MB at once, in order, none forgotten", () => {
  const rows = queue([...Array.from({ length: 45 }, () => file(1000)), file(BATCH_BYTES - 1), file(BATCH_BYTES - 1)]);
  const sent = batches(rows);
  expect(sent.map((batch) => batch.length)).toEqual([20, 20, 5, 1, 1]);
  expect(sent.every((batch) => batch.length <= BATCH_FILES)).toBe(true);
  expect(sent.flat()).toEqual(rows);
});
