import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Problem } from "@/api/problem";
import { useSkuLookup } from "@/api/useSkuLookup";
import type { Answer, Box, DisputeDetail, FieldValue, FieldValues, Project, SchemaField, Sku, SkuHit } from "@/api/types";
import { useWorld } from "@/components/findings/useWorld";
import { boxesInOneView } from "@/components/findings/world";
import { checkField } from "@/lib/caption";
import { findings, isUnknown, type Finding } from "@/lib/captions";
import { cellOf, columnOf, isEmpty, recordOf, settled, settledBoxes, type Column } from "./verdict";

/** The caption that the reviewer builds: picked cell by cell, mended by hand, with what is still wrong with it. */
export function useVerdict(project: Project, dispute: DisputeDetail, refused: Problem | null) {
  const { t } = useTranslation();
  const fields = project.schema.fields;
  const site = project.site.id;
  const lookup = useSkuLookup(site);
  const skuKey = fields.find((field) => field.kind === "sku")?.key;
  const [final, setFinal] = useState<FieldValues>(() => settled(dispute, fields));
  const [boxesFrom, setBoxesFrom] = useState<Column | null>(() => settledBoxes(dispute));
  const record: Sku | undefined = recordOf(dispute, fields, final);

  const put = (key: string, value: FieldValue) => setFinal((before) => ({ ...before, [key]: value }));
  const pick = (column: Column, field: SchemaField) => {
    const value = cellOf(dispute, field, column, record);
    if (!isEmpty(value)) put(field.key, value);
  };
  const pickAll = (column: Column) => {
    setFinal((before) => ({ ...before, ...Object.fromEntries(fields.map((field) => [field.key, cellOf(dispute, field, column, record)])) }));
    setBoxesFrom(column);
  };
  const adopt = (hit: SkuHit) => {
    for (const field of fields) {
      if (field.kind === "sku") put(field.key, hit.code);
      if (field.kind === "category" && hit.category) put(field.key, hit.category);
      if (field.kind === "spec" && hit.spec) put(field.key, hit.spec);
    }
  };
  const tidy = (field: SchemaField) => {
    const value = final[field.key];
    if (typeof value === "string" && value) put(field.key, checkField(field, value).value);
  };

  /** Another SKU brings its category and spec along. */
  const mend = ({ field, fix }: Finding) => {
    if (fix === null) return;
    if (field !== skuKey) put(field, fix);
    else
      void lookup(fix).then((hit) => {
        if (typeof hit === "string") put(field, fix);
        else adopt(hit);
      });
  };

  const problems: Record<string, string> = {};
  for (const field of fields) {
    const value = final[field.key];
    const objection = refused?.errors.find((one) => one.field.replace(/^fields\./, "").split(".")[0] === field.key);
    const error = objection?.message ?? (isUnknown(value) ? null : checkField(field, value ?? "", t("field.missing")).error);
    if (error) problems[field.key] = error;
  }
  const chosen: Answer | undefined = dispute.answers.find((answer) => columnOf(answer) === boxesFrom);
  const boxes: Box[] = chosen?.boxes ?? [];
  const values: FieldValues = Object.fromEntries(
    fields.flatMap((field): [string, FieldValue][] => {
      const value = final[field.key] ?? "";
      const canonical = isUnknown(value) ? value : checkField(field, value).value;
      return isEmpty(canonical) ? [] : [[field.key, canonical]];
    }),
  );
  const code = skuKey === undefined ? undefined : values[skuKey];
  const world = useWorld(site, fields, typeof code === "string" ? code : "", boxesInOneView(boxes), dispute.suggestion, dispute.captures);
  return {
    fields,
    final,
    record,
    put,
    pick,
    pickAll,
    adopt,
    tidy,
    problems,
    found: findings(values, { fields }, world),
    mend,
    values,
    boxes,
    boxesFrom,
    setBoxesFrom,
    boxesMissing: project.boxes_required && boxes.length === 0,
    attributes: chosen?.attributes ?? dispute.answers[0]?.attributes ?? {},
  };
}

export type Verdict = ReturnType<typeof useVerdict>;
