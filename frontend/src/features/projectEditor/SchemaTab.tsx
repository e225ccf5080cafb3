import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { asProblem } from "@/api/problem";
import type { Project } from "@/api/types";
import { LeaveGuard } from "@/components/LeaveGuard";
import { useProblemText } from "@/components/states";
import { notify } from "@/components/toast";
import { useSaveProject } from "@/features/projects/saveProject";
import { useHotkeys } from "@/lib/hotkeys";
import { currentLanguage } from "@/lib/i18n";
import { begin, record, redo, seal, undo } from "@/lib/undo";
import { useDebounced } from "@/lib/useDebounced";
import { Consequences } from "./Consequences";
import { FieldCard } from "./FieldCard";
import { usePlan } from "./planSchema";
import { PRESETS, add, addEmpty, change, differs, has, move, open, place, remove, renamesOf, toDefault, toSchema, type SchemaDraft } from "./schemaDraft";
import { SchemaPreview } from "./SchemaPreview";
import styles from "./editor.module.css";

const PLAN_AFTER_MS = 400;

/** The caption schema: its fields left, how it will look right, and below what saving does to open work. */
export function SchemaTab({ project }: { project: Project }) {
  const { t } = useTranslation();
  const save = useSaveProject(project.id);
  const problemText = useProblemText();
  const [history, setHistory] = useState(() => begin(open(project.schema.fields)));
  const draft = history.present;
  const edit = (step: (before: SchemaDraft) => SchemaDraft, key: string | null = null) => setHistory((before) => record(before, step(before.present), key));

  const dirty = differs(draft, project.schema.fields);
  const asked = useDebounced(draft, PLAN_AFTER_MS);
  const planned = usePlan(project.id, project.version, toSchema(asked), renamesOf(asked));
  const current = asked === draft && planned.isSuccess && !planned.isPlaceholderData;
  const refusals = save.isError ? asProblem(save.error).errors : [];
  const errors = place(planned.data?.errors ?? []);
  const plan = planned.data?.plan;
  const names = Object.fromEntries(project.schema.fields.map((field) => [field.key, field.label[currentLanguage()]]));
  const weights = draft.fields.reduce((sum, field) => sum + field.weight, 0);

  const ready = dirty && current && plan !== null && plan !== undefined;
  const store = () => {
    if (!ready) return;
    save.mutate(
      { schema: toSchema(draft), renames: renamesOf(draft), version: project.version },
      {
        onSuccess: (saved) => {
          setHistory(begin(open(saved.schema.fields)));
          notify({ tone: "agree", text: t("schema.saved", { version: saved.schema_version }) });
        },
      },
    );
  };
  const back = () => setHistory(undo);
  const forth = () => setHistory(redo);
  useHotkeys({ "mod+s": { run: store, inText: true }, "mod+z": { run: back, inText: true }, "mod+shift+z": { run: forth, inText: true }, "mod+y": { run: forth, inText: true } });

  return (
    <div className={styles.schema}>
      <LeaveGuard dirty={dirty} />
      <section className={`panel ${styles.fields ?? ""}`} aria-label={t("projects.tabs.schema")}>
        <div className={styles.bar}>
          <Button size="compact-xs" variant="default" onClick={() => edit(toDefault)} data-testid="preset-default">
            {t("schema.default")}
          </Button>
          {(["expiry", "origin"] as const).map((name) => (
            <Button key={name} size="compact-xs" variant="default" disabled={has(draft, PRESETS[name])} onClick={() => edit((before) => add(before, PRESETS[name]))} data-testid={`preset-${name}`}>
              + {PRESETS[name].label[currentLanguage()]}
            </Button>
          ))}
          <Button size="compact-xs" variant="default" onClick={() => edit(addEmpty)} data-testid="field-add">
            + {t("schema.addField")}
          </Button>
          <span className="spacer" />
          <Button size="compact-xs" variant="subtle" disabled={history.past.length === 0} onClick={back} title="Ctrl Z" data-testid="schema-undo">
            ↶ {t("schema.undo")}
          </Button>
          <Button size="compact-xs" variant="subtle" disabled={history.future.length === 0} onClick={forth} title="Ctrl Shift Z" data-testid="schema-redo">
            ↷ {t("schema.redo")}
          </Button>
        </div>
        <ol className={styles.list}>
          {draft.fields.map((field, index) => (
            <FieldCard
              key={field.id}
              field={field}
              index={index}
              count={draft.fields.length}
              weights={weights}
              errors={asked === draft ? errors.at : {}}
              onChange={(changes, what) => edit((before) => change(before, field.id, changes), `${field.id}.${what}`)}
              onMove={(to) => edit((before) => move(before, field.id, to))}
              onDrop={(id) => edit((before) => move(before, id, index))}
              onRemove={() => edit((before) => remove(before, field.id))}
              onSeal={() => setHistory(seal)}
            />
          ))}
        </ol>
      </section>
      <aside className={`panel ${styles.side ?? ""}`}>
        <SchemaPreview fields={draft.fields} site={project.site.id} />
        <div className={styles.saveArea}>
          {[...errors.whole, ...refusals.filter((error) => !error.field.startsWith("schema.fields.")).map((error) => error.message)].map((message) => (
            <p key={message} className="error" role="alert">
              {message}
            </p>
          ))}
          {asked === draft && Object.keys(errors.at).length > 0 && <p className="error">{t("schema.toMend", { places: Object.keys(errors.at).length })}</p>}
          {planned.isError && <p className="error">{problemText(planned.error).detail}</p>}
          {save.isError && refusals.length === 0 && <p className="error">{problemText(save.error).detail}</p>}
          {dirty && plan && <Consequences plan={plan} fields={draft.fields} names={names} />}
          <div className={styles.actions}>
            <Button size="xs" disabled={!ready} loading={save.isPending} onClick={store} data-testid="schema-save">
              {plan && dirty && plan.answers.returned > 0 ? t("schema.saveReturning", { returned: plan.answers.returned }) : t("common.save")}
            </Button>
            <span className="dim">{dirty ? t("schema.unsaved") : t("schema.version", { version: project.schema_version })}</span>
          </div>
        </div>
      </aside>
    </div>
  );
}
