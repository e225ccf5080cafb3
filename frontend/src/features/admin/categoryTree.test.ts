import { expect, it } from "vitest";
import type { Category } from "@/api/types";
import { categoryTree } from "./categoryTree";

const category = (id: number, name: string, parent: number | null): Category => ({ id, name, parent, path: name, depth: 0, sku_count: 0, pinyin: "", initials: "" });

it("nests categories below their parents, in their order", () => {
  expect(categoryTree([category(1, "日化", null), category(2, "洗发", 1), category(3, "儿童", 2), category(4, "牙膏", 1), category(5, "食品", null)])).toEqual([
    { value: "1", label: "日化", children: [{ value: "2", label: "洗发", children: [{ value: "3", label: "儿童" }] }, { value: "4", label: "牙膏" }] },
    { value: "5", label: "食品" },
  ]);
});

it("keeps what hangs on nothing that is known", () => {
  expect(categoryTree([category(2, "洗发", 9)])).toEqual([{ value: "2", label: "洗发" }]);
});
