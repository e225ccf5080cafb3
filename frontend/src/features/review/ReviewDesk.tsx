import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Problem } from "@/api/problem";
import { asProblem } from "@/api/problem";
import type { Box, DisputeDetail, FieldValue, FieldValues, Project, SchemaField, SkuHit } from "@/api/types";
import { HistoryList } from "@/components/HistoryList";
import { Menu, MenuItem } from "@/components/Menu";
import { PhotoStage } from "@/components/photo/PhotoStage";
import type { StageBox } from "@/components/photo/types";
import { notify } from "@/components/toast";
import { checkField, formatCaption } from "@/lib/caption";
import { isUnknown } from "@/lib/captions";
import { probability } from "@/lib/format";
import { useHotkeys, type Hotkeys } from "@/lib/hotkeys";
import { CompareTable } from "./CompareTable";
import { useDecide } from "./decide";
import { FinalFields } from "./FinalFields";
import { Reasons } from "./Reasons";
import { useReject } from "./reject";
import { boxOverlap, cellOf, columnOf, columnsOf, isEmpty, recordOf, settled, unanimous, type Column } from "./verdict";
import styles from "./review.module.css";

const REJECT_REASONS = ["unreadable", "not_goods", "several_goods", "duplicate", "other"] as const;

interface Props {
  project: Project;
  dispute: DisputeDetail;
  onDone: () => void;
}

/** Two answers side by side; the reviewer picks cells, mends the rest, and decides. */
export function ReviewDesk({ project, dispute, onDone }: Props) {
  const { t } = useTranslation();
  const fields = project.schema.fields;
  const [final, setFinal] = useState<FieldValues>(() => settled(dispute, fields));
  const [row, setRow] = useState(() => Math.max(0, fields.findIndex((field) => !unanimous(dispute, field))));
  const [boxesFrom, setBoxesFrom] = useState<Column | null>(() => {
    const [a, b] = dispute.answers;
    return a && (!b || (boxOverlap(a.boxes, b.boxes) ?? 1) >= 0.5) ? columnOf(a) : null;
  });
  const [note, setNote] = useState("");
  const [side, setSide] = useState(0);
  const [tried, setTried] = useState(false);
  const [refused, setRefused] = useState<Problem | null>(null);
  const decide = useDecide(dispute.task.id, project.id);
  const reject = useReject(dispute.task.id);

  const record = recordOf(dispute, fields, final);
  const columns = columnsOf(dispute);
  const put = (key: string, value: FieldValue) => {
    setFinal((before) => ({ ...before, [key]: value }));
    setRefused(null);
  };
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

  const problems: Record<string, string> = {};
  for (const field of fields) {
    const value = final[field.key];
    const objection = refused?.errors.find((one) => one.field.replace(/^fields\./, "").split(".")[0] === field.key);
    const error = objection?.message ?? (isUnknown(value) ? null : checkField(field, value ?? "", t("field.missing")).error);
    if (error) problems[field.key] = error;
  }
  const chosenAnswer = dispute.answers.find((answer) => columnOf(answer) === boxesFrom);
  const boxes: Box[] = chosenAnswer?.boxes ?? [];
  const boxesMissing = project.boxes_required && boxes.length === 0;
  const values: FieldValues = Object.fromEntries(
    fields.flatMap((field): [string, FieldValue][] => {
      const value = final[field.key] ?? "";
      const canonical = isUnknown(value) ? value : checkField(field, value).value;
      return isEmpty(canonical) ? [] : [[field.key, canonical]];
    }),
  );

  const submit = () => {
    if (decide.isPending) return;
    if (Object.keys(problems).length > 0 || boxesMissing) {
      setTried(true);
      const open = fields.findIndex((field) => problems[field.key]);
      if (open >= 0) setRow(open);
      return;
    }
    decide.mutate(
      { token: dispute.claim.token, fields: values, boxes, attributes: chosenAnswer?.attributes ?? dispute.answers[0]?.attributes ?? {}, ...(note.trim() && { note: note.trim() }) },
      {
        onSuccess: ({ decision }) => {
          notify({ tone: "agree", text: t("review.decided"), detail: decision.caption });
          onDone();
        },
        onError: (error) => {
          const problem = asProblem(error);
          setRefused(problem);
          setTried(true);
          notify({ tone: "error", text: problem.detail || t("errors.network"), detail: problem.hint });
        },
      },
    );
  };

  const rejectPhoto = (reason: string) =>
    reject.mutate(
      { token: dispute.claim.token, reason, ...(note.trim() && { note: note.trim() }) },
      {
        onSuccess: () => {
          notify({ text: t("review.rejected") });
          onDone();
        },
        onError: (error) => notify({ tone: "error", text: asProblem(error).detail || t("errors.network") }),
      },
    );

  const letters: Record<string, Column> = { a: "a", b: "b", m: "machine", w: "wms", ...(columns.includes("c") && { c: "c" as const }) };
  const keys: Hotkeys = {
    arrowup: () => setRow((before) => Math.max(0, before - 1)),
    arrowdown: () => setRow((before) => Math.min(fields.length - 1, before + 1)),
    "mod+enter": { run: submit, inText: true },
    escape: { run: () => (document.activeElement as HTMLElement | null)?.blur(), inText: true },
    "[": () => setSide((before) => (before + dispute.captures.length - 1) % dispute.captures.length),
    "]": () => setSide((before) => (before + 1) % dispute.captures.length),
  };
  for (const [letter, column] of Object.entries(letters)) {
    keys[letter] = () => {
      const field = fields[row];
      if (!field) return;
      pick(column, field);
      setRow((before) => Math.min(fields.length - 1, before + 1));
    };
    if (column !== "machine" && column !== "wms") keys[`shift+${letter}`] = () => pickAll(column);
  }
  useHotkeys(keys);

  const capture = dispute.captures[Math.min(side, dispute.captures.length - 1)];
  const shownBoxes: StageBox[] = dispute.answers.flatMap((answer) =>
    answer.boxes
      .filter((box) => box.capture === capture?.id)
      .map((box, index): StageBox => ({ ...box, id: `${answer.label}${index}`, hue: columnOf(answer) === "b" ? "b" : columnOf(answer) === "a" ? "a" : "final", label: answer.label, locked: true })),
  );
  const overlap = boxOverlap(dispute.answers[0]?.boxes ?? [], dispute.answers[1]?.boxes ?? []);

  return (
    <div className={styles.desk}>
      <section className={styles.photo} aria-label={t("photo.title")}>
        {dispute.captures.length > 1 && (
          <div className={styles.sides} role="tablist" aria-label={t("photo.sides")}>
            {dispute.captures.map((one, index) => (
              <button key={one.id} type="button" role="tab" aria-selected={index === side} onClick={() => setSide(index)}>
                {one.cam_type ? t(`cam.${one.cam_type}`) : index + 1}
              </button>
            ))}
          </div>
        )}
        {capture && <PhotoStage key={capture.id} capture={capture} boxes={shownBoxes} />}
      </section>
      <section className={styles.side}>
        <div className={styles.scroll}>
          <div className={styles.why}>
            <b>#{dispute.task.id}</b>
            <span className="dim">
              {t("review.agreement")} {probability(dispute.score)} / {probability(project.threshold)}
            </span>
            <Reasons reasons={dispute.reasons} fields={fields} />
          </div>
          <CompareTable dispute={dispute} fields={fields} record={record} final={final} row={row} onRow={setRow} onPick={pick} />
          <div className={styles.boxRow}>
            <span className="dim">{t("review.boxes")}</span>
            {dispute.answers.map((answer) => (
              <button key={answer.label} type="button" className={styles.boxPick} data-column={columnOf(answer)} aria-pressed={boxesFrom === columnOf(answer)} data-testid={`pick-${columnOf(answer)}-boxes`} onClick={() => setBoxesFrom(columnOf(answer))}>
                {answer.label} · {t("label.boxes", { count: answer.boxes.length })}
              </button>
            ))}
            {overlap !== null && <span className={overlap < 0.5 ? "dispute" : "dim"}>IoU {probability(overlap)}</span>}
            {tried && boxesMissing && <span className="error">{t("label.boxesRequired")}</span>}
          </div>
          <h2 className={styles.finalHead}>{t("review.final")}</h2>
          <FinalFields
            fields={fields}
            site={project.site.id}
            final={final}
            errors={tried ? problems : {}}
            onChange={put}
            onLeave={(field) => {
              const value = final[field.key];
              if (typeof value === "string" && value) put(field.key, checkField(field, value).value);
            }}
            onUnknown={(key, reason) => put(key, reason === null ? "" : { unknown: reason })}
            onSku={adopt}
          />
          <HistoryList history={dispute.history} />
        </div>
        <div className={styles.foot}>
          <p className={styles.caption} data-testid="caption-line">
            {formatCaption(fields, values)}
          </p>
          <div className={styles.actions}>
            <Menu
              side="top"
              trigger={(props) => (
                <Button {...props} variant="default" data-testid="reject">
                  {t("review.reject")}
                </Button>
              )}
            >
              {(close) =>
                REJECT_REASONS.map((reason) => (
                  <MenuItem
                    key={reason}
                    testId={`reject-reason-${reason}`}
                    onChoose={() => {
                      close();
                      rejectPhoto(reason);
                    }}
                  >
                    {t(`skipReason.${reason}`)}
                  </MenuItem>
                ))
              }
            </Menu>
            <input className={styles.note} type="text" value={note} placeholder={t("review.note")} aria-label={t("review.note")} data-testid="decision-note" onChange={(event) => setNote(event.target.value)} />
            <Button onClick={submit} loading={decide.isPending} data-testid="decide" rightSection={<kbd className={styles.onAccent}>Ctrl ⏎</kbd>}>
              {t("review.decide")}
            </Button>
          </div>
        </div>
      </section>
    </div>
  );
}
