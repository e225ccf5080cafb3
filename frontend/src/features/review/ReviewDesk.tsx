import { Button } from "@mantine/core";
import { Suspense, lazy, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Problem } from "@/api/problem";
import { asProblem } from "@/api/problem";
import type { Author, DisputeDetail, Project } from "@/api/types";
import { firstMendable } from "@/components/findings/findings";
import { LanguageHints } from "@/components/findings/LanguageHints";
import { HistoryList } from "@/components/HistoryList";
import { Menu, MenuItem } from "@/components/Menu";
import { heatOf } from "@/components/photo/heat";
import { HeatButton } from "@/components/photo/HeatButton";
import { useLayers } from "@/components/photo/layers";
import { PhotoStage } from "@/components/photo/PhotoStage";
import type { StageBox } from "@/components/photo/types";
import { notify } from "@/components/toast";
import { formatCaption } from "@/lib/caption";
import type { Finding } from "@/lib/captions";
import { probability } from "@/lib/format";
import { useHotkeys, type Hotkeys } from "@/lib/hotkeys";
import { useActions } from "@/lib/keymap";
import { CompareTable } from "./CompareTable";
import { useDecide } from "./decide";
import { FinalFields } from "./FinalFields";
import { Outcome, type LastOutcome } from "./Outcome";
import { Reasons } from "./Reasons";
import { useReject } from "./reject";
import { useSendBack } from "./sendBack";
import { useVerdict } from "./useVerdict";
import { columnOf, columnsOf, unanimous, type Column } from "./verdict";
import styles from "./review.module.css";

const SendBack = lazy(async () => ({ default: (await import("./SendBack")).SendBack }));
const ReviewHelp = lazy(async () => ({ default: (await import("./ReviewHelp")).ReviewHelp }));

const REJECT_REASONS = ["unreadable", "not_goods", "several_goods", "duplicate", "other"] as const;

interface Props {
  project: Project;
  dispute: DisputeDetail;
  /** what became of the one before */
  last: LastOutcome | null;
  onDone: (authors: readonly Author[] | null) => void;
}

/** Two answers side by side; the reviewer picks cells, mends the rest, and decides. */
export function ReviewDesk({ project, dispute, last, onDone }: Props) {
  const { t } = useTranslation();
  const [refused, setRefused] = useState<Problem | null>(null);
  const verdict = useVerdict(project, dispute, refused);
  const { fields, values, problems } = verdict;
  const [row, setRow] = useState(() => Math.max(0, fields.findIndex((field) => !unanimous(dispute, field))));
  const [note, setNote] = useState("");
  const [side, setSide] = useState(0);
  const [tried, setTried] = useState(false);
  const [open, setOpen] = useState<"sendBack" | "reject" | "help" | null>(null);
  const { layers, toggle } = useLayers();
  const noteInput = useRef<HTMLInputElement>(null);
  const decide = useDecide(dispute.task.id, project.id);
  const reject = useReject(dispute.task.id);
  const sendBack = useSendBack(dispute.task.id);
  const token = dispute.claim?.token;
  const columns = columnsOf(dispute);
  const lastRow = dispute.answers.some((answer) => answer.boxes.length > 0) ? fields.length : fields.length - 1;

  const fail = (error: unknown) => {
    const problem = asProblem(error);
    setRefused(problem);
    setTried(true);
    notify({ tone: "error", text: problem.detail || t("errors.network"), detail: problem.hint });
  };
  const submit = () => {
    if (decide.isPending || token === undefined) return;
    if (Object.keys(problems).length > 0 || verdict.boxesMissing) {
      setTried(true);
      const wrong = fields.findIndex((field) => problems[field.key]);
      setRow(wrong >= 0 ? wrong : lastRow);
      return;
    }
    const words = note.trim();
    decide.mutate(
      { token, fields: values, boxes: verdict.boxes, attributes: verdict.attributes, ...(words && { note: words }) },
      {
        onSuccess: ({ decision, authors }) => {
          notify({ tone: "agree", text: t("review.decided"), detail: decision.caption });
          onDone(authors);
        },
        onError: fail,
      },
    );
  };
  const rejectPhoto = (reason: string) => {
    if (token === undefined) return;
    const words = note.trim();
    reject.mutate(
      { token, reason, ...(words && { note: words }) },
      {
        onSuccess: () => {
          notify({ text: t("review.rejected") });
          onDone(null);
        },
        onError: fail,
      },
    );
  };
  const giveBack = (words: string) => {
    if (token === undefined) return;
    sendBack.mutate(
      { token, note: words },
      {
        onSuccess: () => {
          notify({ text: t("review.sentBack") });
          onDone(null);
        },
      },
    );
  };

  const pickHere = (column: Column) => {
    const field = fields[row];
    if (field) verdict.pick(column, field);
    else if (column !== "machine" && column !== "wms") verdict.setBoxesFrom(column);
    setRow((before) => Math.min(lastRow, before + 1));
  };
  const mend = (finding: Finding) => {
    setRefused(null);
    verdict.mend(finding);
  };
  const edit = () => {
    const key = fields[row]?.key;
    if (key) document.querySelector<HTMLElement>(`[data-final="${key}"] :is(input, select, [role=radio][tabindex="0"])`)?.focus();
  };
  const turn = (step: number) => setSide((before) => (before + dispute.captures.length + step) % Math.max(1, dispute.captures.length));
  const letters: Record<string, Column> = { a: "a", b: "b", m: "machine", w: "wms", ...(columns.includes("c") && { c: "c" as const }) };
  const keys: Hotkeys = {
    arrowup: () => setRow((before) => Math.max(0, before - 1)),
    arrowdown: () => setRow((before) => Math.min(lastRow, before + 1)),
    "mod+enter": { run: submit, inText: true },
    "alt+b": { run: () => setOpen("sendBack"), inText: true },
    "alt+x": { run: () => setOpen("reject"), inText: true },
    escape: { run: () => (document.activeElement as HTMLElement | null)?.blur(), inText: true },
    e: edit,
    n: () => noteInput.current?.focus(),
    "[": () => turn(-1),
    "]": () => turn(1),
    "?": () => setOpen("help"),
  };
  for (const [letter, column] of Object.entries(letters)) {
    keys[letter] = () => pickHere(column);
    if (column !== "machine" && column !== "wms") keys[`shift+${letter}`] = () => verdict.pickAll(column);
  }
  useHotkeys(keys);
  useActions({ heat: toggle("heat") }, dispute.suggestion !== null);
  useActions({
    mend: () => {
      const first = firstMendable(verdict.found);
      if (first) mend(first);
    },
  });

  const capture = dispute.captures[Math.min(side, dispute.captures.length - 1)];
  // the row of the boxes has no value of the machine's
  const rowField = fields[row] ?? fields[0];
  const map = capture && fields[row] ? heatOf(dispute.suggestion, capture.id, fields[row].key) : null;
  const shownBoxes: StageBox[] = dispute.answers.flatMap((answer) =>
    answer.boxes
      .filter((box) => box.capture === capture?.id)
      .map((box, index): StageBox => ({ ...box, id: `${answer.label}${index}`, hue: columnOf(answer) === "b" ? "b" : columnOf(answer) === "a" ? "a" : "final", label: answer.label, locked: true })),
  );

  return (
    <div className={styles.desk}>
      <section className={styles.photo} aria-label={t("photo.title")}>
        <div className={styles.over}>
          {dispute.captures.length > 1 && (
            <div className={styles.sides} role="tablist" aria-label={t("photo.sides")}>
              {dispute.captures.map((one, index) => (
                <button key={one.id} type="button" role="tab" aria-selected={index === side} onClick={() => setSide(index)}>
                  {one.cam_type ? t(`cam.${one.cam_type}`) : index + 1}
                </button>
              ))}
            </div>
          )}
          {dispute.suggestion && rowField && (
            <div className={styles.sides}>
              <HeatButton field={rowField} map={map} pressed={layers.heat} onToggle={toggle("heat")} />
            </div>
          )}
        </div>
        {capture && <PhotoStage key={capture.id} capture={capture} boxes={shownBoxes} heat={layers.heat ? map : null} />}
      </section>
      <section className={styles.side} aria-label={t("review.title")}>
        <div className={styles.scroll}>
          {last && <Outcome outcome={last} />}
          <div className={styles.why}>
            <h1>#{dispute.task.id}</h1>
            {dispute.score !== null && (
              <span className="dim">
                {t("review.agreement")} {probability(dispute.score)} / {probability(project.threshold)}
              </span>
            )}
            <Reasons reasons={dispute.reasons} fields={fields} />
            <span className="spacer" />
            <button type="button" className={styles.helpButton} onClick={() => setOpen("help")}>
              {t("help.short")} <kbd>?</kbd>
            </button>
          </div>
          <CompareTable dispute={dispute} verdict={verdict} row={row} onRow={setRow} />
          {tried && verdict.boxesMissing && (
            <p className="error" role="alert">
              {t("label.boxesRequired")}
            </p>
          )}
          <h2 className={styles.finalHead}>
            {t("review.final")} <kbd>E</kbd>
          </h2>
          <FinalFields
            fields={fields}
            site={project.site.id}
            final={verdict.final}
            errors={tried ? problems : {}}
            onChange={(key, value) => {
              setRefused(null);
              verdict.put(key, value);
            }}
            onLeave={verdict.tidy}
            onUnknown={(key, reason) => verdict.put(key, reason === null ? "" : { unknown: reason })}
            onSku={verdict.adopt}
          />
          <HistoryList history={dispute.history} />
        </div>
        <div className={styles.foot}>
          <p className={styles.caption} data-testid="caption-line">
            {formatCaption(fields, values)}
          </p>
          <LanguageHints fields={fields} found={verdict.found} onMend={mend} />
          <input ref={noteInput} className={styles.note} type="text" value={note} placeholder={t("review.note")} aria-label={t("review.note")} data-testid="decision-note" onChange={(event) => setNote(event.target.value)} />
          <div className={styles.actions}>
            <Menu
              side="top"
              opened={open === "reject"}
              onOpened={(opened) => setOpen(opened ? "reject" : null)}
              trigger={(props) => (
                <Button {...props} variant="default" data-testid="reject" rightSection={<kbd>Alt X</kbd>}>
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
            {dispute.answers.length > 0 && (
              <Button variant="default" onClick={() => setOpen("sendBack")} data-testid="send-back" rightSection={<kbd>Alt B</kbd>}>
                {t("review.sendBack")}
              </Button>
            )}
            <Button onClick={submit} loading={decide.isPending} disabled={token === undefined} data-testid="decide" rightSection={<kbd className={styles.onAccent}>Ctrl ⏎</kbd>}>
              {t("review.decide")}
            </Button>
          </div>
        </div>
      </section>
      <Suspense>
        {open === "sendBack" && <SendBack note={note} error={sendBack.error} busy={sendBack.isPending} onSend={giveBack} onClose={() => setOpen(null)} />}
        {open === "help" && <ReviewHelp onClose={() => setOpen(null)} />}
      </Suspense>
    </div>
  );
}
