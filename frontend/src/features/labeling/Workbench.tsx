import { Button } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Assignment, Candidate, FieldError, Neighbour, Project, SchemaField } from "@/api/types";
import type { Problem } from "@/api/problem";
import { checkField, formatCaption, joinCondition, readCondition } from "@/lib/caption";
import { useHotkeys, type Hotkeys } from "@/lib/hotkeys";
import { writeStored } from "@/lib/storage";
import { AttributesRow } from "./AttributesRow";
import { Candidates } from "./Candidates";
import type { SkipReason, Submission } from "./desk";
import { SURE_FROM, adoptSku, fieldOf, firstDoubt, setUnknown, setValue, suggestionUsed, toDraft, toValues, validate, type CatalogRecord } from "./document";
import { EvidenceLine } from "./Evidence";
import { FieldRow } from "./FieldRow";
import { HeaderStats } from "./HeaderStats";
import { Neighbours } from "./Neighbours";
import { PhotoPane } from "./PhotoPane";
import { SkipMenu } from "./SkipMenu";
import { useActiveTime } from "./useActiveTime";
import { localDraftKey, useAutosave } from "./useAutosave";
import { useLabelDocument, type Kept } from "./useLabelDocument";
import { useSkuLookup } from "./useSkuLookup";
import styles from "./labeling.module.css";

interface Props {
  project: Project;
  assignment: Assignment;
  objections: readonly FieldError[];
  kept: Kept | undefined;
  onKeep: (kept: Kept) => void;
  onSubmit: (body: Submission, caption: string) => void;
  onSkip: (reason: SkipReason) => Promise<unknown>;
  onLost: (caption: string, problem: Problem) => void;
  onHelp: () => void;
}

function focusField(key: string | null): void {
  const target = key === null ? document.getElementById("stage") : document.querySelector<HTMLElement>(`[data-field="${key}"] :is(input, select, [role=radio][tabindex="0"])`);
  target?.focus({ preventScroll: true });
}

/** One photo in work: the picture left, the caption right, everything on the keyboard. */
export function Workbench({ project, assignment, objections, kept, onKeep, onSubmit, onSkip, onLost, onHelp }: Props) {
  const { t } = useTranslation();
  const fields = project.schema.fields;
  const { suggestion } = assignment;
  const site = project.site.id;
  const editing = useLabelDocument(fields, assignment, kept);
  const { document: label, change } = editing;
  const time = useActiveTime(kept?.seconds ?? assignment.draft?.active_seconds ?? 0);
  const [lit, setLit] = useState<string[]>([]);
  const [tried, setTried] = useState(false);
  const [left, setLeft] = useState<Record<string, true>>({});
  const [notes, setNotes] = useState<Record<string, string>>({});
  const [opened] = useState(label);
  const [skipOpen, setSkipOpen] = useState(false);
  const lookup = useSkuLookup(site);

  const caption = formatCaption(fields, toValues(label, fields));
  const save = useAutosave(assignment, label, () => toDraft(label, fields, time.read()), (problem) => onLost(caption, problem));
  const keep = useRef(onKeep);
  useEffect(() => {
    keep.current = onKeep;
  });
  const { read: readSeconds } = time;
  useEffect(() => keep.current({ document: label, seconds: readSeconds() }), [label, readSeconds]);
  useEffect(() => focusField(firstDoubt(opened, fields, suggestion)), [opened, fields, suggestion]);

  const errors = validate(label, fields, project, { missing: t("field.missing"), boxesRequired: t("label.boxesRequired") });
  const errorOf = (key: string): string | undefined => {
    const objection = objections.find((one) => one.field.replace(/^fields\./, "").split(".")[0] === key);
    if (objection && fieldOf(opened, key) === fieldOf(label, key)) return objection.message;
    const error = errors.find((one) => one.field === key);
    return error && (tried || (left[key] && fieldOf(label, key).value !== "")) ? error.message : undefined;
  };

  const skuField = fields.find((field) => field.kind === "sku");
  const conditionField = fields.find((field) => field.kind === "condition");
  const chosen = skuField ? fieldOf(label, skuField.key).value : "";

  const adopted = useRef(chosen);
  const adopt = (record: CatalogRecord) => {
    adopted.current = record.code;
    change((before) => adoptSku(before, fields, record, "person"));
    setNotes((before) => ({ ...before, ...Object.fromEntries(fields.filter((field) => ["sku", "category", "spec"].includes(field.kind)).map((field) => [field.key, ""])) }));
  };
  const adoptCandidate = (candidate: Candidate) => adopt({ code: candidate.sku_code, category: candidate.category, spec: candidate.spec });
  const adoptCode = async (code: string) => {
    const hit = await lookup(code);
    adopt(typeof hit === "string" ? { code, category: "", spec: "" } : hit);
  };
  const adoptNeighbour = (neighbour: Neighbour) => {
    const candidate = suggestion?.candidates.find((one) => one.sku_code === neighbour.sku_code);
    if (candidate) adoptCandidate(candidate);
    else void adoptCode(neighbour.sku_code);
  };

  const leave = (field: SchemaField) => {
    const state = fieldOf(label, field.key);
    const checked = checkField(field, state.value);
    setLeft((before) => ({ ...before, [field.key]: true }));
    editing.seal();
    if (state.unknown || state.origin !== "person" || !checked.value || checked.error) return;
    if (checked.value !== state.value) {
      change((before) => setValue(before, field.key, checked.value));
      setNotes((before) => ({ ...before, [field.key]: t("field.normalised", { from: state.value.trim() }) }));
    }
    if (field.kind !== "sku" || checked.value === adopted.current) return;
    // typed or scanned in full: the catalog fills in the rest, unless the code has been changed again meanwhile
    const typed = checked.value;
    adopted.current = typed;
    void lookup(typed).then((hit) => {
      if (adopted.current !== typed) return;
      if (hit === "absent") setNotes((before) => ({ ...before, [field.key]: t("field.notInCatalog") }));
      else if (hit !== "unreachable") adopt(hit);
    });
  };

  const submit = () => {
    if (errors.length > 0) {
      setTried(true);
      focusField(errors[0]?.field === "boxes" ? null : (errors[0]?.field ?? null));
      return;
    }
    writeStored(localDraftKey(assignment.id), null);
    onSubmit({ ...toDraft(label, fields, time.read()), token: assignment.token, suggestion_used: suggestionUsed(label, fields, suggestion) }, caption);
  };

  const candidates = suggestion?.candidates ?? [];
  const grade = (digit: number) => () => {
    if (!conditionField) return;
    const { detail } = readCondition(fieldOf(label, conditionField.key).value) ?? { detail: "" };
    change((before) => setValue(before, conditionField.key, joinCondition(digit, detail)));
  };
  const keys: Hotkeys = {
    "mod+enter": { run: submit, inText: true },
    "mod+z": { run: editing.undo, inText: true },
    "mod+shift+z": { run: editing.redo, inText: true },
    "mod+y": { run: editing.redo, inText: true },
    "alt+s": { run: () => setSkipOpen(true), inText: true },
    "alt+u": {
      run: () => {
        const key = document.activeElement?.closest<HTMLElement>("[data-field]")?.dataset.field ?? firstDoubt(label, fields, suggestion);
        document.querySelector<HTMLElement>(`[data-testid="field-${key ?? ""}-unknown"]`)?.click();
      },
      inText: true,
    },
    escape: { run: () => focusField(null), inText: true },
    "?": onHelp,
  };
  candidates.slice(0, 9).forEach((candidate, index) => {
    keys[String(index + 1)] = () => adoptCandidate(candidate);
    keys[`alt+${index + 1}`] = { run: () => adoptCandidate(candidate), inText: true };
  });
  for (let digit = 1; digit <= 5; digit++) keys[`shift+${digit}`] = grade(digit);
  useHotkeys(keys);

  const doubtful = suggestion && skuField && (fieldOf(label, skuField.key).value === "" || (suggestion.fields[skuField.key]?.confidence ?? 0) < SURE_FROM);
  const boxCount = label.boxes.length;

  return (
    <div className={styles.bench} data-bench>
      <HeaderStats project={project} task={assignment.task} activeSeconds={time.shown} onHelp={onHelp} />
      <PhotoPane assignment={assignment} document={label} change={change} undo={editing.undo} redo={editing.redo} canUndo={editing.canUndo} canRedo={editing.canRedo} lit={lit} onLight={setLit} />
      <section className={styles.captionPane} aria-label={t("label.caption")}>
        <div className={styles.rows}>
          {!assignment.suggestion_shown && <p className={styles.quiet}>{t("label.withheld")}</p>}
          {assignment.suggestion_shown && !suggestion && <p className={styles.quiet}>{t("label.noSuggestion")}</p>}
          {fields.map((field) => (
            <FieldRow
              key={field.key}
              field={field}
              site={site}
              state={fieldOf(label, field.key)}
              suggestion={suggestion}
              error={errorOf(field.key)}
              note={notes[field.key]}
              onChange={(value) => {
                change((before) => setValue(before, field.key, value), field.key);
                setNotes((before) => ({ ...before, [field.key]: "" }));
              }}
              onSku={adopt}
              onBlur={() => leave(field)}
              onUnknown={(reason) => change((before) => setUnknown(before, field.key, reason))}
            >
              {field.kind === "sku" && suggestion && (
                <>
                  <EvidenceLine suggestion={suggestion} code={chosen} onLight={setLit} />
                  <Candidates candidates={doubtful ? candidates.slice(0, 5) : candidates.slice(0, 3)} chosen={chosen} onAdopt={adoptCandidate} />
                </>
              )}
            </FieldRow>
          ))}
          <AttributesRow attributes={label.attributes} onChange={(attributes) => change((before) => ({ ...before, attributes }), "attributes")} />
        </div>
        <div className={styles.foot}>
          <p className={styles.captionLine} data-testid="caption-line">
            {caption || <span className="dim">{t("label.captionEmpty")}</span>}
          </p>
          {suggestion?.flags.map((flag) => (
            <p key={flag} className={styles.flag} data-testid={`flag-${flag}`}>
              ⚠ {t(`flag.${flag}`)}
            </p>
          ))}
          {tried && errors.some((one) => one.field === "boxes") && (
            <p className={styles.fieldError} role="alert">
              {t("label.boxesRequired")}
            </p>
          )}
          <div className={styles.actions}>
            <SkipMenu opened={skipOpen} onOpened={setSkipOpen} onSkip={(reason) => void onSkip(reason)} />
            <span className={styles.saved} data-state={save} data-testid="save-state">
              {t("label.boxes", { count: boxCount })} · {t(`label.save.${save}`)}
            </span>
            <Button size="sm" onClick={submit} data-testid="submit" rightSection={<kbd className={styles.onAccent}>Ctrl ⏎</kbd>}>
              {t("label.submit")}
            </Button>
          </div>
        </div>
      </section>
      {suggestion && suggestion.neighbours.length > 0 && <Neighbours neighbours={suggestion.neighbours} onAdopt={adoptNeighbour} />}
    </div>
  );
}
