import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { beforeAll, describe, expect, test } from "vitest";
import { skuAutocompleteQuery } from "@/api/skuAutocomplete";
import type { DisputeDetail, Project, SchemaField } from "@/api/types";
import { html, inEnglish } from "@/lib/rendered";
import { ReviewDesk } from "./ReviewDesk";

beforeAll(inEnglish);

const SITE = 1;
const field = (key: string, kind: SchemaField["kind"]) => ({ key, kind, label: { zh: key, en: key, ja: key }, required: true, weight: 1, options: [], aliases: [] });
const project = { id: 1, site: { id: SITE }, threshold: 0.8, boxes_required: false, schema: { fields: [field("sku", "sku"), field("quantity", "quantity")] } } as unknown as Project;
const capture = { id: 5, cam_type: "", width: 100, height: 80, images: { thumb: "t", display: "d", original: "o" }, weight_g: 10150 };
const answer = (label: string, quantity: string) => ({ label, annotation: 1, fields: { sku: "WASH-1", quantity }, boxes: [], attributes: {}, caption: "", active_seconds: 1, suggestion_shown: true });

/** The desk as it opens on two answers about goods of 10,150 g, where the catalog says what a unit weighs. */
function desk(quantities: readonly [string, string], unitWeight: number | null, weighed: number | null = capture.weight_g): string {
  const client = new QueryClient();
  const record = { code: "WASH-1", category: "", spec: "", unit: "箱", weight_g: unitWeight };
  client.setQueryData(skuAutocompleteQuery(SITE, "WASH-1").queryKey, { results: [record] } as never);
  const [a, b] = quantities;
  const dispute = {
    task: { id: 9 }, captures: [{ ...capture, weight_g: weighed }], suggestion: null, catalog: {}, score: null, fields: {}, reasons: [],
    answers: [answer("A", a), answer("B", b)], history: [], claim: { token: "x" }, previous_decision: null,
  } as unknown as DisputeDetail;
  return html(
    <QueryClientProvider client={client}>
      <ReviewDesk project={project} dispute={dispute} last={null} onDone={() => {}} />
    </QueryClientProvider>,
  );
}

describe("the caption that a reviewer builds, against the world", () => {
  test("a count that the weight contradicts is named, with its mend and the key for it", () => {
    const page = desk(["2箱", "2箱"], 3400);
    expect(page).toMatch(/data-testid="finding-weight_differs"[^>]*>quantity：By weight there are 3箱/);
    expect(page).toMatch(/data-testid="mend">Make it 3箱 <kbd>F6<\/kbd>/);
  });

  test("nothing is said where the weight agrees, is not known, or no count is chosen yet", () => {
    expect(desk(["3箱", "3箱"], 3400)).not.toContain("finding-");
    expect(desk(["2箱", "2箱"], null)).not.toContain("finding-");
    expect(desk(["2箱", "2箱"], 3400, null)).not.toContain("finding-");
    expect(desk(["2箱", "1箱"], 3400)).not.toContain("finding-");
  });
});
