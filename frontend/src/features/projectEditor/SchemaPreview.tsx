import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { FieldValue, SchemaField } from "@/api/types";
import { FieldRow } from "@/components/fields/FieldRow";
import { checkField, formatCaption } from "@/lib/caption";
import { adoptSku, fieldOf, setUnknown, setValue, toValues, type LabelDocument } from "@/lib/label/document";
import { sampleOf, type DraftField } from "./schemaDraft";
import styles from "./editor.module.css";

function captionOf(fields: readonly SchemaField[], values: Record<string, FieldValue>): string {
  try {
    return formatCaption(fields, values);
  } catch {
    return ""; // two fields of one name, for instance: the server says so at the field
  }
}

/** How the schema will look at work: the caption line, and the labeling page's own rows, ready to be tried. */
export function SchemaPreview({ fields, site }: { fields: readonly DraftField[]; site: number }) {
  const { t } = useTranslation();
  // by id, so that what was typed stays while a key is edited
  const [typed, setTyped] = useState<LabelDocument>({ fields: {}, boxes: [], attributes: {}, unit: "" });
  const [left, setLeft] = useState<Record<string, true>>({});
  const named = fields.map((field) => ({ ...field, key: field.id }));
  const document: LabelDocument = {
    ...typed,
    fields: Object.fromEntries(named.map((field) => [field.id, typed.fields[field.id] ?? { value: sampleOf(fields.find((one) => one.id === field.id) ?? field), unknown: false, reason: "", origin: "person" as const }])),
  };
  const caption = captionOf(named, toValues(document, named));
  return (
    <div className={styles.preview} data-testid="schema-preview">
      <h2 className={styles.caption}>{t("projects.preview")}</h2>
      <p className={styles.captionLine} data-testid="preview-caption">
        {caption || <span className="dim">{t("label.captionEmpty")}</span>}
      </p>
      <div className={styles.rows}>
        {named.map((field) => {
          const state = fieldOf(document, field.id);
          const { error } = checkField(field, state.value, t("field.missing"));
          return (
            <FieldRow
              key={field.id}
              field={{ ...field, key: fields.find((one) => one.id === field.id)?.key ?? field.key }}
              site={site}
              state={state}
              suggestion={null}
              error={error !== null && left[field.id] && !state.unknown ? error : undefined}
              note={undefined}
              onChange={(value) => setTyped(setValue(document, field.id, value))}
              onSku={(hit) => setTyped(adoptSku(document, named, hit, "person"))}
              onBlur={() => setLeft((before) => ({ ...before, [field.id]: true }))}
              onUnknown={(reason) => setTyped(setUnknown(document, field.id, reason))}
            />
          );
        })}
      </div>
    </div>
  );
}
