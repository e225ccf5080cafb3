import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import type { Suggestion } from "@/api/types";
import { speak } from "@/lib/i18n/testing";
import { EvidenceLine } from "./Evidence";

const bare = { candidates: [], neighbours: [], barcodes: [], ocr_lines: [], none: null, left_out: [] } as unknown as Suggestion;
const shown = (suggestion: Partial<Suggestion>) => renderToStaticMarkup(<EvidenceLine suggestion={{ ...bare, ...suggestion }} code="" onLight={() => {}} onAdopt={() => {}} />);

it("says in words what was left out, in each language", async () => {
  await speak("zh");
  expect(shown({ left_out: ["ocr", "barcode"] })).toContain("未取得：文字、条码");
  await speak("en");
  expect(shown({ left_out: ["ocr", "minigpt"] })).toContain("Not read: words, caption model");
  await speak("ja");
  expect(shown({ left_out: ["keypoints"] })).toContain("未取得：図柄照合");
});

it("tells 'none of these' where it counts, and doubts where it is likely", async () => {
  await speak("zh");
  expect(shown({ none: 0.05 })).toBe("");
  expect(shown({ none: 0.2 })).toContain("可能不在目录中 .20");
  expect(shown({ none: 0.2 })).not.toContain("data-doubt");
  expect(shown({ none: 0.9 })).toContain("data-doubt");
});

it("is silent without evidence", () => expect(shown({})).toBe(""));
