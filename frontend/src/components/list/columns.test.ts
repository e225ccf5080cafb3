import { expect, it } from "vitest";
import { readColumns, shownColumns, writeColumns } from "./columns";

const columns = [{ key: "id", fixed: true }, { key: "photo" }, { key: "at", off: true }];
const keys = (chosen?: string[]) => shownColumns(columns, chosen).map((column) => column.key);

it("shows what was chosen, and always what is fixed", () => {
  expect(keys()).toEqual(["id", "photo"]);
  expect(keys(["at"])).toEqual(["id", "at"]);
  expect(keys([])).toEqual(["id"]);
  expect(keys(["gone", "at", "photo"])).toEqual(["id", "photo", "at"]);
});

it("reads what it writes", () => {
  expect(readColumns(writeColumns(["a", "b"]))).toEqual(["a", "b"]);
  expect(readColumns("")).toEqual([]);
  expect(readColumns(undefined)).toBeUndefined();
});
