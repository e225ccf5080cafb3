import { Button } from "@mantine/core";
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import type { Lookalikes, Project } from "@/api/types";
import { FieldControl } from "@/components/fields/FieldControl";
import { checkField, joinCondition } from "@/lib/caption";
import { useHotkeys } from "@/lib/hotkeys";
import { currentLanguage } from "@/lib/i18n";
import type { Confirmed } from "@/features/labeling/desk";
import { useActiveTime } from "@/features/labeling/useActiveTime";
import { begin, confirm, errorsOf, guessesOf, inPlace, moveCursor, setCommon, setOwn, toggle } from "./grid";
import { Tile } from "./Tile";
import styles from "./lookalikes.module.css";

interface Props {
  project: Project;
  grid: Lookalikes;
  onConfirm: (confirmed: Confirmed[], knockedOut: number[]) => void;
  onLeave: () => void;
}

const NONE = {};

/** Up to twenty look-alikes at once: what holds for all above, what differs on the tiles. */
export function LookalikesGrid({ project, grid, onConfirm, onLeave }: Props) {
  const { t } = useTranslation();
  const { assignments } = grid;
  const { fields } = project.schema;
  const [state, setState] = useState(() => begin(fields, assignments));
  const [tried, setTried] = useState(false);
  const [asked, setAsked] = useState(false);
  const list = useRef<HTMLUListElement>(null);
  const time = useActiveTime(0);
  const { arrived, changed, own } = useOwnSeconds(time.read);
  const onTile = useMemo(() => inPlace(fields), [fields]);

  const kept = assignments.filter(({ id }) => !state.knockedOut.has(id));
  const errors = useMemo(() => new Map(assignments.map((one) => [one.id, errorsOf(state, fields, one, t("field.missing"))])), [assignments, state, fields, t]);
  const guesses = useMemo(() => new Map(assignments.map((one) => [one.id, guessesOf(state, fields, one)])), [assignments, state, fields]);
  const doubtful = kept.filter(({ id }) => Object.values(guesses.get(id) ?? {}).includes("doubted"));
  const wrong = kept.filter(({ id }) => Object.keys(errors.get(id) ?? {}).length > 0);
  const focusTile = (id: number | undefined) => list.current?.querySelector<HTMLElement>(`[data-tile="${id ?? ""}"]`)?.focus({ preventScroll: false });
  const focusCommon = (key: string) => document.querySelector<HTMLElement>(`[data-common="${key}"] :is(input, select, [role=radio][tabindex="0"])`)?.focus();

  // where the first thing is missing for all: there the work begins
  const [firstMissing] = useState(() => fields.find((field) => checkField(field, state.common[field.key] ?? "", "-").error)?.key);
  const firstId = assignments[0]?.id;
  useEffect(() => {
    if (firstMissing) focusCommon(firstMissing);
    else focusTile(firstId);
  }, [firstMissing, firstId]);

  const submit = () => {
    if (kept.length === 0) return;
    const [first] = wrong;
    if (first) {
      setTried(true);
      const key = Object.keys(errors.get(first.id) ?? {})[0] ?? "";
      if (state.own[first.id]?.[key] !== undefined) focusTile(first.id);
      else focusCommon(key);
      return;
    }
    if (doubtful.length > 0 && !asked) {
      setAsked(true);
      focusTile(doubtful[0]?.id);
      return;
    }
    onConfirm(confirm(state, project, assignments, time.read(), own()), [...state.knockedOut]);
  };

  const onToggle = useCallback((id: number) => setState((before) => toggle(before, id)), []);
  const onOwn = useCallback(
    (id: number, key: string, value: string) => {
      changed(id);
      setState((before) => setOwn(before, id, key, value));
    },
    [changed],
  );
  const onCursor = useCallback((id: number) => setState((before) => ({ ...before, cursor: assignments.findIndex((one) => one.id === id) })), [assignments]);

  const conditionField = fields.find((field) => field.kind === "condition");
  const onKey = (event: KeyboardEvent, id: number) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const digit = /^(?:Digit|Numpad)([1-5])$/.exec(event.code)?.[1];
    if (event.key.startsWith("Arrow")) {
      const columns = list.current ? getComputedStyle(list.current).gridTemplateColumns.split(" ").length : 1;
      focusTile(assignments[moveCursor(state.cursor, event.key, assignments.length, columns)]?.id);
    } else if (digit && conditionField) onOwn(id, conditionField.key, joinCondition(Number(digit), ""));
    else if (event.key === "Enter") list.current?.querySelector<HTMLElement>(`[data-testid="alike-${state.cursor + 1}"] input`)?.focus();
    else return;
    event.preventDefault();
  };
  useHotkeys({
    "mod+enter": { run: submit, inText: true },
    escape: { run: () => (document.activeElement?.closest("[data-tile]") ? onLeave() : focusTile(assignments[state.cursor]?.id)), inText: true },
  });

  return (
    <section className={styles.grid} aria-label={t("lookalikes.title")} data-testid="lookalikes">
      <header className={styles.head}>
        <div className={styles.what}>
          <span className="machine">◆ {t("lookalikes.title")}</span>
          <b>{grid.sku?.name}</b> <span className="mono">{grid.sku?.code}</span>
          <span className="spacer" />
          <span className="dim">{t("lookalikes.hint")}</span>
        </div>
        <div className={styles.common}>
          {fields
            .filter((field) => field.kind !== "sku")
            .map((field) => {
              // what is wrong for all shows on the first that has nothing of its own
              const like = kept.find(({ id }) => state.own[id]?.[field.key] === undefined);
              const error = (like && errors.get(like.id)?.[field.key]) ?? null;
              return (
                <div key={field.key} className={styles.field} data-kind={field.kind} data-common={field.key}>
                  <span className="dim">{field.label[currentLanguage()]}</span>
                  <div>
                    <FieldControl
                      field={field}
                      machine={kept.some(({ id }) => state.own[id]?.[field.key] === undefined && guesses.get(id)?.[field.key])}
                      site={project.site.id}
                      value={state.common[field.key] ?? ""}
                      invalid={(tried && error !== null) || undefined}
                      onChange={(value) => setState((before) => setCommon(before, field.key, value))}
                      onSku={() => undefined}
                      testId={`common-${field.key}`}
                    />
                  </div>
                  {tried && error && <span className="error">{error}</span>}
                </div>
              );
            })}
        </div>
      </header>
      <ul className={styles.tiles} ref={list}>
        {assignments.map((assignment, index) => (
          <Tile
            key={assignment.id}
            assignment={assignment}
            number={index + 1}
            fields={onTile}
            own={state.own[assignment.id]}
            common={state.common}
            guesses={guesses.get(assignment.id) ?? NONE}
            errors={tried ? (errors.get(assignment.id) ?? null) : null}
            knockedOut={state.knockedOut.has(assignment.id)}
            current={index === state.cursor}
            onCursor={onCursor}
            onToggle={onToggle}
            onOwn={onOwn}
            onArrived={arrived}
            onKey={onKey}
          />
        ))}
      </ul>
      <footer className={styles.foot}>
        <Button variant="default" size="sm" onClick={onLeave} data-testid="lookalikes-leave">
          {t("lookalikes.leave")} <kbd>Esc</kbd>
        </Button>
        <span className="dim">{state.knockedOut.size > 0 && t("lookalikes.knockedOut", { count: state.knockedOut.size })}</span>
        <span className="spacer" />
        {tried && wrong.length > 0 && <span className="error">{t("lookalikes.wrong", { count: wrong.length })}</span>}
        {asked && doubtful.length > 0 && (
          <span className="dispute" role="alert" data-testid="lookalikes-doubt">
            {t("lookalikes.doubtful", { count: doubtful.length })}
          </span>
        )}
        <Button size="sm" disabled={kept.length === 0} onClick={submit} data-testid="lookalikes-confirm">
          {t("lookalikes.confirm", { count: kept.length })} <kbd className={styles.onAccent}>Ctrl ⏎</kbd>
        </Button>
      </footer>
    </section>
  );
}

/**
 * The active seconds spent in the fields of each tile: from getting there to the last change. That the focus stays
 * afterwards says nothing of where the person looks.
 */
function useOwnSeconds(read: () => number) {
  const spent = useRef<Record<number, number>>({});
  const since = useRef(0);
  const arrived = useCallback(() => {
    since.current = read();
  }, [read]);
  const changed = useCallback(
    (id: number) => {
      const now = read();
      spent.current[id] = (spent.current[id] ?? 0) + now - since.current;
      since.current = now;
    },
    [read],
  );
  return { arrived, changed, own: useCallback(() => spent.current, []) };
}
