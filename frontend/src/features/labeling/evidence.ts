import type { Candidate, Suggestion } from "@/api/types";
import type { Overlay } from "@/components/photo/types";

export const barcodeId = (index: number) => `barcode-${index}`;
export const lineId = (index: number) => `ocr-${index}`;

export function overlaysOf(suggestion: Suggestion | null, captureId: number, show: { ocr: boolean; barcode: boolean }, lit: readonly string[]): Overlay[] {
  if (suggestion?.capture !== captureId) return [];
  const all: Overlay[] = [
    ...suggestion.ocr_lines.map((line, index): Overlay => ({ id: lineId(index), kind: "ocr", polygon: line.polygon, title: line.text })),
    ...suggestion.barcodes.map((code, index): Overlay => ({ id: barcodeId(index), kind: "barcode", polygon: code.polygon, title: `${code.format} ${code.text}` })),
  ];
  // what is pointed at in the table shows even while its layer is off
  return all.filter((overlay) => show[overlay.kind] || lit.includes(overlay.id));
}

/** The lines of the photo that hold a word. */
export function linesWith(suggestion: Suggestion, word: string): string[] {
  const wanted = word.toLowerCase();
  return suggestion.ocr_lines.flatMap((line, index) => (line.text.toLowerCase().includes(wanted) ? [lineId(index)] : []));
}

/** How many of the look-alikes carry the candidate's code. */
export function votes(suggestion: Suggestion, candidate: Candidate): { same: number; of: number } {
  const first = suggestion.neighbours.slice(0, 5);
  return { same: first.filter((neighbour) => neighbour.sku_code === candidate.sku_code).length, of: first.length };
}
