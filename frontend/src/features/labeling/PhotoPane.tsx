import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Assignment, SchemaField } from "@/api/types";
import { heatOf } from "@/components/photo/heat";
import { HeatButton } from "@/components/photo/HeatButton";
import { useLayers } from "@/components/photo/layers";
import { PhotoStage } from "@/components/photo/PhotoStage";
import type { StageBox, Tool } from "@/components/photo/types";
import { useActions, useKeyLabel, type ActionId } from "@/lib/keymap";
import { newBoxId, type LabelBox, type LabelDocument } from "@/lib/label/document";
import { overlaysOf } from "./evidence";
import styles from "./labeling.module.css";

interface Props {
  assignment: Assignment;
  document: LabelDocument;
  /** the SKU in the caption: what speaks for it is marked */
  chosen: string;
  /** the field at hand, whose heat map is shown */
  field: SchemaField | undefined;
  change: (edit: (document: LabelDocument) => LabelDocument, key?: string | null) => void;
  undo: () => void;
  redo: () => void;
  canUndo: boolean;
  canRedo: boolean;
  lit: readonly string[];
  onLight: (ids: string[]) => void;
}

const editBoxes = (edit: (boxes: LabelBox[]) => LabelBox[]) => (document: LabelDocument) => ({ ...document, boxes: edit(document.boxes) });

const TOOLS: readonly [Tool, ActionId][] = [
  ["select", "select"],
  ["pan", "pan"],
  ["box", "draw"],
];

/** The photo, its sides, tools and layers. */
export function PhotoPane({ assignment, document: label, chosen, field, change, undo, redo, canUndo, canRedo, lit, onLight }: Props) {
  const { t } = useTranslation();
  const keyLabel = useKeyLabel();
  const { captures, suggestion } = assignment;
  const [side, setSide] = useState(0);
  const [tool, setTool] = useState<Tool>("select");
  const [selected, setSelected] = useState<string | null>(null);
  const { layers, toggle } = useLayers();
  const stage = useRef<HTMLDivElement>(null);
  const capture = captures[Math.min(side, captures.length - 1)];
  const show = (index: number) => {
    setSide((index + captures.length) % captures.length);
    setSelected(null);
  };
  useActions({
    words: toggle("ocr"),
    barcodes: toggle("barcode"),
    ...(suggestion && { heat: toggle("heat") }),
    nextSide: () => show(side + 1),
    previousSide: () => show(side - 1),
    leaveField: () => {
      setSelected(null);
      stage.current?.focus({ preventScroll: true });
    },
  });
  if (!capture) return null;

  const map = field ? heatOf(suggestion, capture.id, field.key) : null;
  const boxes: StageBox[] = label.boxes.filter((box) => box.capture === capture.id).map((box) => ({ ...box, hue: "own" }));
  return (
    <section className={styles.photoPane} aria-label={t("photo.title")}>
      <div className={styles.photoBar}>
        {captures.length > 1 && (
          <div className={styles.group} role="tablist" aria-label={t("photo.sides")}>
            {captures.map((one, index) => (
              <button key={one.id} type="button" role="tab" aria-selected={one.id === capture.id} className={styles.tool} data-testid={`side-${index + 1}`} onClick={() => show(index)}>
                {one.cam_type ? t(`cam.${one.cam_type}`) : index + 1}
              </button>
            ))}
          </div>
        )}
        <div className={styles.group}>
          {TOOLS.map(([name, action]) => (
            <button key={name} type="button" aria-pressed={tool === name} className={styles.tool} data-testid={`tool-${name}`} onClick={() => setTool(name)}>
              {t(`photo.tools.${name}`)} <kbd>{keyLabel(action)}</kbd>
            </button>
          ))}
        </div>
        <div className={styles.group}>
          <button type="button" className={styles.tool} disabled={!canUndo} onClick={undo} title={`${t("photo.undo")} (${keyLabel("undo")})`} aria-label={t("photo.undo")} data-testid="edit-undo">
            ↶
          </button>
          <button type="button" className={styles.tool} disabled={!canRedo} onClick={redo} title={`${t("photo.redo")} (${keyLabel("redo")})`} aria-label={t("photo.redo")} data-testid="edit-redo">
            ↷
          </button>
        </div>
        <span className="spacer" />
        {suggestion && (
          <div className={styles.group}>
            <button type="button" aria-pressed={layers.ocr} className={styles.tool} data-layer="machine" data-testid="layer-ocr" onClick={toggle("ocr")}>
              OCR {suggestion.ocr_lines.length} <kbd>{keyLabel("words")}</kbd>
            </button>
            <button type="button" aria-pressed={layers.barcode} className={styles.tool} data-layer="machine" data-testid="layer-barcode" onClick={toggle("barcode")}>
              {t("photo.barcodes")} {suggestion.barcodes.length} <kbd>{keyLabel("barcodes")}</kbd>
            </button>
            {field && <HeatButton field={field} map={map} pressed={layers.heat} onToggle={toggle("heat")} className={styles.tool} />}
          </div>
        )}
      </div>
      <div ref={stage} className={styles.stage} tabIndex={-1} id="stage">
        <PhotoStage
          capture={capture}
          boxes={boxes}
          selected={selected}
          tool={tool}
          onTool={setTool}
          onSelect={setSelected}
          onCreate={(rect) => {
            const id = newBoxId();
            change(editBoxes((all) => [...all, { ...rect, id, capture: capture.id }]));
            setSelected(id);
            setTool("select");
          }}
          onChange={(id, rect, nudge) => change(editBoxes((all) => all.map((box) => (box.id === id ? { ...box, ...rect } : box))), nudge ? `nudge-${id}` : null)}
          onLock={(id) => change(editBoxes((all) => all.map((box) => (box.id === id ? { ...box, locked: !box.locked } : box))))}
          onDelete={(id) => {
            change(editBoxes((all) => all.filter((box) => box.id !== id)));
            setSelected(null);
          }}
          overlays={overlaysOf(suggestion, capture.id, chosen, layers, lit)}
          heat={layers.heat ? map : null}
          lit={lit}
          onLight={onLight}
        />
      </div>
    </section>
  );
}
