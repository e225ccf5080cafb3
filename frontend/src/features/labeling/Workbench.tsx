import { Button } from "@mantine/core";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Assignment, Candidate, FieldError, Project, SchemaField, Suggestion } from "@/api/types";
import type { Problem } from "@/api/problem";
import { FieldRow } from "@/components/fields/FieldRow";
import { firstMendable } from "@/components/findings/findings";
import { LanguageHints } from "@/components/findings/LanguageHints";
import { useWorld } from "@/components/findings/useWorld";
import { boxesInOneView } from "@/components/findings/world";
import { useMe } from "@/features/session/session";
import { findings, type Finding } from "@/lib/captions";
import { formatCaption, joinCondition, readCondition } from "@/lib/caption";
import { currentLanguage } from "@/lib/i18n";
import { chordLabel, useActions, useKeyLabel } from "@/lib/keymap";
import { checkIn, fieldOf, fillFrom, firstDoubt, setUnknown, setValue, suggestionUsed, toDraft, toValues, unconfirmed, validate } from "@/lib/label/document";
import { countOf, withUnit } from "@/lib/label/quantity";
import { repeat, repeatable } from "@/lib/label/repeat";
import { AttributesRow } from "./AttributesRow";
import { Candidates } from "./Candidates";
import type { SkipReason, Submission } from "./desk";
import { EvidenceLine } from "./Evidence";
import { FlagMenu } from "./FlagMenu";
import { HeaderStats } from "./HeaderStats";
import type { Keep } from "./keep";
import { readLast, writeLast } from "./last";
import type { Mark } from "./mark";
import { Neighbours } from "./Neighbours";
import { PhotoPane } from "./PhotoPane";
import { BoxCount, RepeatOffer } from "./QuantityHints";
import { SkipMenu } from "./SkipMenu";
import { useActiveTime } from "./useActiveTime";
import { useAdoption } from "./useAdoption";
import { useAutosave } from "./useAutosave";
import { hasEntry, useDelayed } from "./useDelayed";
import { useLabelDocument, type Kept } from "./useLabelDocument";
import { useScanner } from "./useScanner";
import styles from "./labeling.module.css";

interface Props {
  project: Project;
  assignment: Assignment;
  objections: readonly FieldError[];
  kept: Kept | undefined;
  onKeep: (kept: Kept) => void;
  mark: Mark;
  onMark: (mark: Mark) => void;
  keep: Keep;
  onSaved: (assignmentId: number) => void;
  onSubmit: (body: Submission, caption: string) => void;
  onSkip: (reason: SkipReason) => Promise<unknown>;
  onLost: (caption: string, problem: Problem) => void;
  onHelp: () => void;
  onGuide: () => void;
  onRecent: () => void;
}

function focusField(key: string | null): void {
  const target = key === null ? document.getElementById("stage") : document.querySelector<HTMLElement>(`[data-field="${CSS.escape(key)}"] :is(input, select, [role=radio][tabindex="0"])`);
  target?.focus({ preventScroll: true });
}

/** One photo in work: the picture left, the caption right, everything on the keyboard. */
export function Workbench({ project, assignment: given, objections, kept, onKeep, mark, onMark, keep: drafts, onSaved, onSubmit, onSkip, onLost, onHelp, onGuide, onRecent }: Props) {
  const { t } = useTranslation();
  const keyLabel = useKeyLabel();
  const me = useMe();
  const fields = project.schema.fields;
  const [come, setCome] = useState<Suggestion | null>();
  const assignment = useMemo(() => (come === undefined ? given : { ...given, suggestion: come, suggestion_shown: true }), [given, come]);
  const { suggestion } = assignment;
  const site = project.site.id;
  const editing = useLabelDocument(fields, given, kept);
  const { document: label, change } = editing;
  const time = useActiveTime(kept?.seconds ?? assignment.draft?.active_seconds ?? 0);
  const [lit, setLit] = useState<string[]>([]);
  const [at, setAt] = useState<string>();
  const [tried, setTried] = useState(false);
  const [asked, setAsked] = useState(false);
  const [left, setLeft] = useState<Record<string, true>>({});
  const [opened] = useState(label);
  const [last] = useState(() => readLast(me.id, project.id));
  const [skipOpen, setSkipOpen] = useState(false);

  const skuField = fields.find((field) => field.kind === "sku");
  const conditionField = fields.find((field) => field.kind === "condition");
  const quantityField = fields.find((field) => field.kind === "quantity");
  const chosen = skuField ? fieldOf(label, skuField.key).value : "";
  const { notes, note, adopt, adoptCode, adoptCandidate, adoptNeighbour, adoptScan, leave } = useAdoption(site, fields, suggestion, editing, chosen);

  const caption = formatCaption(fields, toValues(label, fields));
  const draft = () => ({ ...toDraft(label, fields, time.read()), schema_version: project.schema_version, ...mark });
  const typed = useMemo(() => ({ label, mark }), [label, mark]);
  const save = useAutosave({ assignment: given, document: typed, draft, caption, keep: drafts, onSaved, onLost: (problem) => onLost(caption, problem) });
  const onCome = useCallback(
    (late: Suggestion | null) => {
      setCome(late);
      change((before) => fillFrom(before, fields, late));
    },
    [change, fields],
  );
  useDelayed(assignment, save === "saved" && hasEntry(toValues(label, fields), label.boxes.length), onCome);
  const keep = useRef(onKeep);
  useEffect(() => {
    keep.current = onKeep;
  });
  const { read: readSeconds } = time;
  useEffect(() => keep.current({ document: label, seconds: readSeconds() }), [label, readSeconds]);

  // the focus starts, and after a choice goes on, where the first doubt is
  const [turn, setTurn] = useState(0);
  const goOn = () => setTurn((before) => before + 1);
  const doubtNow = useRef<() => string | null>(() => null);
  useEffect(() => {
    doubtNow.current = () => firstDoubt(label, fields, suggestion);
  });
  useEffect(() => {
    // a photo that comes while the guide is read waits behind it
    if (!document.querySelector("[role=dialog][aria-modal=true]")) focusField(doubtNow.current());
  }, [turn]);

  const errors = validate(label, fields, project, { missing: t("field.missing"), boxesRequired: t("label.boxesRequired") });
  const doubts = unconfirmed(label, fields, suggestion);
  const errorOf = (key: string): string | undefined => {
    const objection = objections.find((one) => one.field.replace(/^fields\./, "").split(".")[0] === key);
    if (objection && fieldOf(opened, key) === fieldOf(label, key)) return objection.message;
    const error = errors.find((one) => one.field === key);
    return error && (tried || (left[key] && fieldOf(label, key).value !== "")) ? error.message : undefined;
  };
  const noteOf = (field: SchemaField): string | undefined => {
    const { value, origin } = fieldOf(label, field.key);
    const checked = checkIn(label, field, value);
    return origin === "person" && value !== "" && !checked.error && checked.value !== value ? `→ ${checked.value}` : notes[field.key];
  };
  const doubtOf = (field: SchemaField): string | undefined => {
    if (!doubts.includes(field)) return undefined;
    const disagrees = field.kind === "sku" && suggestion?.flags.includes("evidence_disagrees");
    const why = t(disagrees ? "doubt.disagrees" : "doubt.unsure");
    return field.kind === "sku" ? `${why} ${t("doubt.choose", { key: keyLabel("candidate") })}` : `${why} ${t("doubt.look", { key: chordLabel("enter") })}`;
  };

  const choose = (candidate: Candidate) => {
    // somebody typing elsewhere stays there
    if (!document.activeElement?.closest("[data-field]") || document.activeElement.closest("[data-field]")?.getAttribute("data-field") === skuField?.key) goOn();
    adoptCandidate(candidate);
  };
  const candidates = suggestion?.candidates ?? [];
  const chooseNumber = (key: string) => {
    const candidate = candidates[Number(key.slice(-1)) - 1];
    if (candidate) choose(candidate);
  };
  const repeats = Object.values(repeatable(label, fields, last));
  const repeatLast = () => {
    goOn();
    change((before) => repeat(before, fields, last));
  };
  const boxCount = boxesInOneView(label.boxes);
  const found = findings(toValues(label, fields), { fields }, useWorld(site, fields, chosen, boxCount, suggestion, assignment.captures));
  const mend = ({ field, fix }: Finding) => {
    if (fix === null) return;
    // another SKU brings its category and spec along
    if (field === skuField?.key) void adoptCode(fix);
    else change((before) => setValue(before, field, fix));
  };
  const counted = withUnit(String(boxCount), label.unit);
  const countBoxes = () => quantityField && boxCount > 0 && change((before) => setValue(before, quantityField.key, counted));

  useScanner({
    snapshot: editing.snapshot,
    onScan: (code, before) =>
      void adoptScan(code, before).then((found) => {
        if (found) goOn();
        else focusField(skuField?.key ?? null);
      }),
  });

  const submit = () => {
    if (errors.length > 0) {
      setTried(true);
      focusField(errors[0]?.field === "boxes" ? null : (errors[0]?.field ?? null));
      return;
    }
    if (doubts.length > 0 && !asked) {
      setAsked(true);
      focusField(doubts[0]?.key ?? null);
      return;
    }
    writeLast(me.id, project.id, { fields: toValues(label, fields), unit: label.unit });
    onSubmit({ ...draft(), token: assignment.token, suggestion_used: suggestionUsed(label, fields, suggestion) }, caption);
  };

  useActions({
    submit,
    undo: editing.undo,
    redo: editing.redo,
    skip: () => setSkipOpen(true),
    help: onHelp,
    candidate: (_, key) => chooseNumber(key),
    candidateAnywhere: (_, key) => chooseNumber(key),
    condition: (_, key) => {
      if (!conditionField) return;
      const { detail } = readCondition(fieldOf(label, conditionField.key).value) ?? { detail: "" };
      change((before) => setValue(before, conditionField.key, joinCondition(Number(key.slice(-1)), detail)));
    },
    repeat: repeatLast,
    countBoxes,
    mend: () => {
      const first = firstMendable(found);
      if (first) mend(first);
    },
    unknown: () => {
      const key = document.activeElement?.closest<HTMLElement>("[data-field]")?.dataset.field ?? firstDoubt(label, fields, suggestion);
      document.querySelector<HTMLElement>(`[data-testid="field-${key ?? ""}-unknown"]`)?.click();
    },
  });

  const shownCandidates = chosen === "" || doubts.some((field) => field.kind === "sku") ? candidates.slice(0, 5) : candidates.slice(0, 3);

  return (
    <div className={styles.bench} data-bench>
      <HeaderStats project={project} task={assignment.task} activeSeconds={time.shown} idle={time.idle} onHelp={onHelp} onGuide={onGuide} onRecent={onRecent} />
      <PhotoPane
        assignment={assignment}
        document={label}
        chosen={chosen}
        field={fields.find((field) => field.key === at) ?? fields[0]}
        change={change}
        undo={editing.undo}
        redo={editing.redo}
        canUndo={editing.canUndo}
        canRedo={editing.canRedo}
        lit={lit}
        onLight={setLit}
      />
      <section className={styles.captionPane} aria-label={t("label.caption")}>
        {/* the field that had the focus last goes on being the one at hand */}
        <div className={styles.rows} onFocus={(event) => setAt((before) => event.target.closest<HTMLElement>("[data-field]")?.dataset.field ?? before)}>
          {!assignment.suggestion_shown && (
            <p className={styles.quiet} data-testid={assignment.suggestion_delayed ? "suggestion-later" : "suggestion-none"}>
              {t(!assignment.suggestion_delayed ? "label.withheld" : assignment.suggestion_after_s > 0 ? "label.delayed" : "label.afterEntry", { count: assignment.suggestion_after_s })}
            </p>
          )}
          {assignment.suggestion_shown && !suggestion && <p className={styles.quiet}>{t("label.noSuggestion")}</p>}
          {fields.map((field) => (
            <FieldRow
              key={field.key}
              field={field}
              site={site}
              state={fieldOf(label, field.key)}
              suggestion={suggestion}
              error={errorOf(field.key)}
              doubt={doubtOf(field)}
              pressing={asked}
              note={noteOf(field)}
              onChange={(value) => {
                change((before) => setValue(before, field.key, value), field.key);
                note(field.key, "");
              }}
              onSku={(hit) => {
                adopt(hit);
                goOn();
              }}
              onNumber={
                field.kind === "sku" && candidates.length > 0
                  ? (digit) => {
                      const candidate = shownCandidates[digit - 1];
                      if (candidate) choose(candidate);
                      return candidate !== undefined;
                    }
                  : undefined
              }
              onBlur={() => {
                setLeft((before) => ({ ...before, [field.key]: true }));
                editing.seal();
                leave(field);
              }}
              onUnknown={(reason) => change((before) => setUnknown(before, field.key, reason))}
              onConfirm={
                doubts.includes(field) && field.kind !== "sku"
                  ? () => {
                      change((before) => setValue(before, field.key, fieldOf(before, field.key).value));
                      goOn();
                    }
                  : undefined
              }
            >
              {field.kind === "sku" && suggestion && (
                <>
                  <EvidenceLine suggestion={suggestion} code={chosen} onLight={setLit} onAdopt={choose} />
                  <Candidates candidates={shownCandidates} chosen={chosen} onAdopt={choose} />
                </>
              )}
              {field === quantityField && (boxCount > 0 || repeats.length > 0) && (
                <div className={styles.offers}>
                  <RepeatOffer values={repeats} onRepeat={repeatLast} />
                  <BoxCount boxCount={boxCount} count={countOf(checkIn(label, field, fieldOf(label, field.key).value).value)} counted={counted} onCount={countBoxes} />
                </div>
              )}
            </FieldRow>
          ))}
          <AttributesRow attributes={label.attributes} suggestion={suggestion} onChange={(attributes) => change((before) => ({ ...before, attributes }), "attributes")} />
        </div>
        <div className={styles.foot}>
          <p className={styles.captionLine} data-testid="caption-line">
            {caption || <span className="dim">{t("label.captionEmpty")}</span>}
          </p>
          <LanguageHints fields={fields} found={found} onMend={mend} />
          {suggestion?.flags.map((flag) => (
            <p key={flag} className={styles.flag} data-testid={`flag-${flag}`}>
              ⚠ {t(`flag.${flag}`)}
            </p>
          ))}
          {asked && doubts.length > 0 && (
            <p className={styles.flag} role="alert" data-testid="confirm-doubt">
              {t("doubt.confirm", { fields: doubts.map((field) => field.label[currentLanguage()]).join("、"), key: keyLabel("submit") })}
            </p>
          )}
          {tried && errors.some((one) => one.field === "boxes") && (
            <p className={styles.fieldError} role="alert">
              {t("label.boxesRequired")}
            </p>
          )}
          <p className={styles.saved} data-state={save} data-testid="save-state">
            {t("label.boxes", { count: label.boxes.length })} · {t(`label.save.${save}`)}
          </p>
          <div className={styles.actions}>
            <SkipMenu opened={skipOpen} onOpened={setSkipOpen} onSkip={(reason) => void onSkip(reason)} />
            <FlagMenu mark={mark} onMark={onMark} />
            <Button size="sm" ml="auto" onClick={submit} data-testid="submit" rightSection={<kbd className={styles.onAccent}>{keyLabel("submit")}</kbd>}>
              {t("label.submit")}
            </Button>
          </div>
        </div>
      </section>
      {suggestion && suggestion.neighbours.length > 0 && (
        <Neighbours
          neighbours={suggestion.neighbours}
          onAdopt={(neighbour) => void adoptNeighbour(neighbour).then(goOn)}
        />
      )}
    </div>
  );
}
