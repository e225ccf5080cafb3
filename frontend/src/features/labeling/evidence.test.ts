import { expect, it } from "vitest";
import type { Suggestion } from "@/api/types";
import { codesRead, dissents, overlaysOf, votes } from "./evidence";

const candidate = (sku_code: string, parts: Record<string, number>, words: string[] = []) => ({ sku_code, parts, words });
const square = [[0, 0], [9, 0], [9, 9], [0, 9]];
const suggestion = {
  capture: 7,
  candidates: [candidate("A", { pack_text: 0.8, picture: 0.1, neighbours: 0.5 }, ["Milk"]), candidate("B", { pack_text: 0.1, picture: 0.85, neighbours: 0.4 })],
  neighbours: ["A", "A", "B"].map((sku_code) => ({ sku_code })),
  ocr_lines: [{ text: "ekologisk MILK", polygon: square }, { text: "1 l", polygon: square }],
  barcodes: [{ text: "690", format: "EAN-13", polygon: square }],
} as unknown as Suggestion;

it("names the evidence that would have chosen another, by its number", () => {
  expect(dissents(suggestion, "A").map(({ source, number }) => [source, number])).toEqual([["picture", 2]]);
  expect(dissents(suggestion, "B").map(({ source, number }) => [source, number])).toEqual([["pack_text", 1]]);
});

it("counts look-alikes of the chosen code", () => {
  const [first] = suggestion.candidates;
  expect(first && votes(suggestion, first)).toEqual({ same: 2, of: 3 });
});

it("marks the lines that speak for the choice, and shows what is lit though its layer is off", () => {
  const all = overlaysOf(suggestion, 7, "A", { ocr: true, barcode: true }, []);
  expect(all.map((one) => [one.id, one.speaks ?? false])).toEqual([["ocr-0", true], ["ocr-1", false], ["barcode-0", false]]);
  expect(overlaysOf(suggestion, 7, "A", { ocr: false, barcode: false }, ["ocr-1"]).map((one) => one.id)).toEqual(["ocr-1"]);
  expect(overlaysOf(suggestion, 8, "A", { ocr: true, barcode: true }, [])).toEqual([]);
});

it("tells a code once, however many units of a pile show it", () => {
  const barcodes = [["690", "A"], ["691", null], ["690", "A"]].map(([text, sku_code]) => ({ text, sku_code, format: "EAN-13", polygon: square }));
  expect(codesRead({ ...suggestion, barcodes } as unknown as Suggestion)).toEqual([
    { text: "690", sku: "A", ids: ["barcode-0", "barcode-2"] },
    { text: "691", sku: null, ids: ["barcode-1"] },
  ]);
});
