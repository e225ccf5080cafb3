import type { Candidate, Suggestion } from "@/api/types";
import type { Overlay } from "@/components/photo/types";

export const barcodeId = (index: number) => `barcode-${index}`;
export const lineId = (index: number) => `ocr-${index}`;

/** The candidate with a code; the first one where none has it. */
export const candidateOf = (suggestion: Suggestion, code: string): Candidate | undefined => suggestion.candidates.find((one) => one.sku_code === code) ?? suggestion.candidates[0];

export function overlaysOf(suggestion: Suggestion | null, captureId: number, code: string, show: { ocr: boolean; barcode: boolean }, lit: readonly string[]): Overlay[] {
  if (suggestion?.capture !== captureId) return [];
  const speaking = new Set(candidateOf(suggestion, code)?.words.flatMap((word) => linesWith(suggestion, word)));
  const all: Overlay[] = [
    ...suggestion.ocr_lines.map((line, index): Overlay => ({ id: lineId(index), kind: "ocr", polygon: line.polygon, title: line.text, speaks: speaking.has(lineId(index)) })),
    ...suggestion.barcodes.map((found, index): Overlay => ({ id: barcodeId(index), kind: "barcode", polygon: found.polygon, title: `${found.format} ${found.text}` })),
  ];
  // what is pointed at in the table shows even while its layer is off
  return all.filter((overlay) => show[overlay.kind] || lit.includes(overlay.id));
}

/** The lines of the photo that hold a word. */
export function linesWith(suggestion: Suggestion, word: string): string[] {
  const wanted = word.toLowerCase();
  return suggestion.ocr_lines.flatMap((line, index) => (line.text.toLowerCase().includes(wanted) ? [lineId(index)] : []));
}

export interface CodeRead {
  text: string;
  /** the SKU that it names, null where the catalog has none */
  sku: string | null;
  ids: string[];
}

/** The codes that were read, each once, with the places of all that say it. */
export function codesRead(suggestion: Suggestion): CodeRead[] {
  const read = new Map<string, CodeRead>();
  suggestion.barcodes.forEach(({ text, sku_code }, index) => {
    const known = read.get(text);
    if (known) known.ids.push(barcodeId(index));
    else read.set(text, { text, sku: sku_code, ids: [barcodeId(index)] });
  });
  return [...read.values()];
}

/** How many of the look-alikes carry the candidate's code. */
export function votes(suggestion: Suggestion, candidate: Candidate): { same: number; of: number } {
  const first = suggestion.neighbours.slice(0, 5);
  return { same: first.filter((neighbour) => neighbour.sku_code === candidate.sku_code).length, of: first.length };
}

/** A piece of evidence that is as sure as this of another candidate disagrees; the recognizer's own line. */
const SURE_ALONE = 0.6;

export interface Dissent {
  source: string;
  /** its number among the candidates, from 1 */
  number: number;
  candidate: Candidate;
  confidence: number;
}

/** Pieces of evidence that, alone, would have named another candidate. */
export function dissents(suggestion: Suggestion, code: string): Dissent[] {
  const chosen = candidateOf(suggestion, code);
  const sources = [...new Set(suggestion.candidates.flatMap((candidate) => Object.keys(candidate.parts)))];
  return sources.flatMap((source): Dissent[] => {
    const ranked = suggestion.candidates.map((candidate, index) => ({ source, number: index + 1, candidate, confidence: candidate.parts[source] ?? 0 }));
    const favourite = ranked.reduce<Dissent | null>((best, one) => (best === null || one.confidence > best.confidence ? one : best), null);
    return favourite && favourite.confidence > SURE_ALONE && favourite.candidate.sku_code !== chosen?.sku_code ? [favourite] : [];
  });
}
