import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSkuLookup } from "@/api/useSkuLookup";
import type { Candidate, Neighbour, SchemaField, Suggestion } from "@/api/types";
import { adoptSku, checkIn, fieldOf, setValue, type CatalogRecord } from "@/lib/label/document";
import type { useLabelDocument } from "./useLabelDocument";

type Editing = ReturnType<typeof useLabelDocument>;
const OF_THE_SKU: readonly string[] = ["sku", "category", "spec"];
const bare = (code: string): CatalogRecord => ({ code, category: "", spec: "", unit: "" });

/** The ways a SKU comes into the caption, and what is said about fields when they have been left. */
export function useAdoption(site: number, fields: readonly SchemaField[], suggestion: Suggestion | null, editing: Editing, chosen: string) {
  const { t } = useTranslation();
  const lookup = useSkuLookup(site);
  const { document: label, change } = editing;
  const [notes, setNotes] = useState<Record<string, string>>({});
  const adopted = useRef(chosen);
  const skuField = fields.find((field) => field.kind === "sku");
  const note = (key: string | undefined, words: string) => key !== undefined && setNotes((before) => ({ ...before, [key]: words }));

  const adopt = (record: CatalogRecord) => {
    adopted.current = record.code;
    change((before) => adoptSku(before, fields, record, "person"));
    setNotes((before) => ({ ...before, ...Object.fromEntries(fields.filter((field) => OF_THE_SKU.includes(field.kind)).map((field) => [field.key, ""])) }));
  };
  const adoptCandidate = (candidate: Candidate) => adopt({ code: candidate.sku_code, category: candidate.category, spec: candidate.spec, unit: candidate.unit });
  const adoptCode = async (code: string) => {
    const candidate = suggestion?.candidates.find((one) => one.sku_code === code);
    if (candidate) {
      adoptCandidate(candidate);
      return;
    }
    const hit = await lookup(code);
    adopt(typeof hit === "string" ? bare(code) : hit);
  };
  const adoptNeighbour = ({ sku_code }: Neighbour) => adoptCode(sku_code);

  /** A code from the scanner: what it typed into the page before it was known for one is taken back. True when it was adopted. */
  const adoptScan = async (code: string, before: ReturnType<Editing["snapshot"]>): Promise<boolean> => {
    editing.restore(before);
    note(skuField?.key, t("scan.reading", { code }));
    const hit = await lookup(code);
    if (typeof hit !== "string") {
      adopt(hit);
      note(skuField?.key, t("scan.read", { code }));
      return true;
    }
    note(skuField?.key, t(hit === "absent" ? "scan.absent" : "scan.unreachable", { code }));
    return false;
  };

  /** A field that was left is written in its canonical form, visibly; a SKU typed in full brings its catalog record along. */
  const leave = (field: SchemaField) => {
    const state = fieldOf(label, field.key);
    const checked = checkIn(label, field, state.value);
    if (state.unknown || state.origin !== "person" || !checked.value || checked.error) return;
    if (checked.value !== state.value) {
      change((before) => (fieldOf(before, field.key).value === state.value ? setValue(before, field.key, checked.value) : before));
      note(field.key, t("field.normalised", { from: state.value.trim() }));
    }
    if (field.kind !== "sku" || checked.value === adopted.current) return;
    const typed = checked.value;
    adopted.current = typed;
    void lookup(typed).then((hit) => {
      // changed again meanwhile
      if (adopted.current !== typed) return;
      if (hit === "absent") note(field.key, t("field.notInCatalog"));
      else if (hit !== "unreachable") adopt(hit);
    });
  };

  return { notes, note, adopt, adoptCode, adoptCandidate, adoptNeighbour, adoptScan, leave };
}
