import { useTranslation } from "react-i18next";
import type { SchemaPlan } from "@/api/types";
import { currentLanguage } from "@/lib/i18n";
import type { DraftField } from "./schemaDraft";
import styles from "./editor.module.css";

interface Props {
  plan: SchemaPlan;
  fields: readonly DraftField[];
  /** names of the fields that are going away, by key */
  names: Record<string, string>;
}

/** What saving will do to work that is under way, in numbers. */
export function Consequences({ plan, fields, names }: Props) {
  const { t } = useTranslation();
  const nameOf = (key: string) => fields.find((field) => field.key === key)?.label[currentLanguage()] || names[key] || key;
  const { answers, drafts } = plan;
  return (
    <section className={styles.consequences} aria-live="polite" data-testid="schema-consequences">
      <ul>
        {plan.changes.map((change) => (
          <li key={`${change.code}-${change.field}`} className="tag">
            {t(`schema.change.${change.code}`, { field: nameOf(change.field) })}
          </li>
        ))}
        {plan.changes.length === 0 && <li className="tag">{t("schema.change.small")}</li>}
      </ul>
      {answers.returned > 0 ? (
        <p className="dispute" data-testid="schema-returned">
          {t("schema.returned", { returned: answers.returned, fields: Object.keys(answers.fields).map(nameOf).join("、") })}
        </p>
      ) : (
        <p className="agree">{t("schema.noneReturned")}</p>
      )}
      {answers.kept > 0 && <p>{t("schema.kept", { kept: answers.kept })}</p>}
      {drafts.total > 0 && <p className={drafts.affected ? "dispute" : ""}>{t("schema.drafts", { total: drafts.total, affected: drafts.affected })}</p>}
      {!answers.complete && <p className="dispute">{t("schema.incomplete")}</p>}
      <p className="dim">{t("schema.oldStay", { version: plan.version })}</p>
    </section>
  );
}
