import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { asProblem } from "@/api/problem";
import type { FieldValue, FieldValues, Project, SkuHit } from "@/api/types";
import { useProblemText } from "@/components/states";
import { FinalFields } from "@/features/review/FinalFields";
import { checkField, formatCaption } from "@/lib/caption";
import { useHotkeys } from "@/lib/hotkeys";
import { mended } from "./mended";
import type { useCheck } from "./spotChecks";
import styles from "./spotChecks.module.css";

interface Props {
  project: Project;
  id: number;
  decided: FieldValues;
  changed: ReadonlySet<string>;
  check: ReturnType<typeof useCheck>;
}

/** The caption as it should be, in the fields of the review desk; or, where the checker cannot tell, back to the desk with a word. */
export function Mend({ project, id, decided, changed, check }: Props) {
  const { t } = useTranslation();
  const problemText = useProblemText();
  const fields = project.schema.fields;
  const [final, setFinal] = useState<FieldValues>(decided);
  const [note, setNote] = useState("");
  const [tried, setTried] = useState(false);
  const put = (key: string, value: FieldValue) => setFinal((before) => ({ ...before, [key]: value }));
  const adopt = (hit: SkuHit) => {
    for (const field of fields) {
      if (field.kind === "sku") put(field.key, hit.code);
      if (field.kind === "category" && hit.category) put(field.key, hit.category);
      if (field.kind === "spec" && hit.spec) put(field.key, hit.spec);
    }
  };

  const { values, problems, differs } = mended(fields, decided, final, t("field.missing"));
  const sound = Object.keys(problems).length === 0;
  const objections: Record<string, string> = {};
  for (const { field, message } of check.isError ? asProblem(check.error).errors : []) objections[field.replace(/^fields\./, "").split(".")[0] ?? ""] = message;
  const mend = () => {
    if (check.isPending || !differs) return;
    setTried(true);
    if (sound) check.mutate({ id, wrong: true, changed: [], note, fields: values });
  };
  const giveBack = () => {
    if (!check.isPending) check.mutate({ id, wrong: true, changed: [...changed], note });
  };
  useHotkeys({ "mod+enter": { run: differs ? mend : giveBack, inText: true } });

  return (
    <>
      <h2>{t("spotChecks.mended")}</h2>
      <p className="dim">{t("spotChecks.mendHint")}</p>
      <FinalFields
        fields={fields}
        site={project.site.id}
        final={final}
        errors={tried ? { ...objections, ...problems } : {}}
        onChange={put}
        onLeave={(field) => {
          const value = final[field.key];
          if (typeof value === "string" && value) put(field.key, checkField(field, value).value);
        }}
        onUnknown={(key, reason) => put(key, reason === null ? "" : { unknown: reason })}
        onSku={adopt}
      />
      <p className="mono" data-testid="mended-caption">
        {formatCaption(fields, values)}
      </p>
      <Textarea size="xs" label={t("spotChecks.note")} description={t("spotChecks.noteHint")} value={note} maxLength={2000} onChange={(event) => setNote(event.currentTarget.value)} data-testid="spot-note" />
      {check.isError && <p className="error">{problemText(check.error).detail}</p>}
      <div className={styles.actions}>
        <Button variant="default" loading={check.isPending} onClick={giveBack} data-testid="spot-back" rightSection={differs ? undefined : <kbd>Ctrl ⏎</kbd>}>
          {t("spotChecks.back")}
        </Button>
        <Button color="red" disabled={!differs} loading={check.isPending} onClick={mend} data-testid="spot-mend" rightSection={differs ? <kbd>Ctrl ⏎</kbd> : undefined}>
          {t("spotChecks.mend")}
        </Button>
      </div>
    </>
  );
}
