import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Assignment } from "@/api/types";
import { PhotoStage } from "@/components/photo/PhotoStage";
import type { StageBox, Tool } from "@/components/photo/types";
import { useHotkeys } from "@/lib/hotkeys";
import { newBoxId, type LabelBox, type LabelDocument } from "./document";
import { overlaysOf } from "./evidence";
import styles from "./labeling.module.css";

interface Props {
  assignment: Assignment;
  document: LabelDocument;
  change: (edit: (document: LabelDocument) => LabelDocument, key?: string | null) => void;
  undo: () => void;
  redo: () => void;
  canUndo: boolean;
  canRedo: boolean;
  lit: readonly string[];
  onLight: (ids: string[]) => void;
}

const editBoxes = (edit: (boxes: LabelBox[]) => LabelBox[]) => (document: LabelDocument) => ({ ...document, boxes: edit(document.boxes) });

/** The photo, its sides, tools and layers. */
export function PhotoPane({ assignment, document, change, undo, redo, canUndo, canRedo, lit, onLight }: Props) {
  const { t } = useTranslation();
  const { captures, suggestion } = assignment;
  const [side, setSide] = useState(0);
  const [tool, setTool] = useState<Tool>("select");
  const [selected, setSelected] = useState<string | null>(null);
  const [layers, setLayers] = useState({ ocr: false, barcode: true });
  const capture = captures[Math.min(side, captures.length - 1)];
  const toggle = (layer: keyof typeof layers) => () => setLayers((before) => ({ ...before, [layer]: !before[layer] }));
  useHotkeys({
    o: toggle("ocr"),
    b: toggle("barcode"),
    "[": () => setSide((before) => (before + captures.length - 1) % captures.length),
    "]": () => setSide((before) => (before + 1) % captures.length),
  });
  if (!capture) return null;

  const boxes: StageBox[] = document.boxes.filter((box) => box.capture === capture.id).map((box) => ({ ...box, hue: "own" }));
  const tools: [Tool, string][] = [
    ["select", "V"],
    ["pan", "H"],
    ["box", "R"],
  ];

  return (
    <section className={styles.photoPane} aria-label={t("photo.title")}>
      <div className={styles.photoBar}>
        {captures.length > 1 && (
          <div className={styles.group} role="tablist" aria-label={t("photo.sides")}>
            {captures.map((one, index) => (
              <button key={one.id} type="button" role="tab" aria-selected={one.id === capture.id} className={styles.tool} data-testid={`side-${index + 1}`} onClick={() => setSide(index)}>
                {one.cam_type ? t(`cam.${one.cam_type}`) : index + 1}
              </button>
            ))}
          </div>
        )}
        <div className={styles.group}>
          {tools.map(([name, key]) => (
            <button key={name} type="button" aria-pressed={tool === name} className={styles.tool} data-testid={`tool-${name}`} onClick={() => setTool(name)}>
              {t(`photo.tools.${name}`)} <kbd>{key}</kbd>
            </button>
          ))}
        </div>
        <div className={styles.group}>
          <button type="button" className={styles.tool} disabled={!canUndo} onClick={undo} title="Ctrl+Z" aria-label={t("photo.undo")} data-testid="edit-undo">
            ↶
          </button>
          <button type="button" className={styles.tool} disabled={!canRedo} onClick={redo} title="Ctrl+Shift+Z" aria-label={t("photo.redo")} data-testid="edit-redo">
            ↷
          </button>
        </div>
        <span className="spacer" />
        {suggestion && (
          <div className={styles.group}>
            <button type="button" aria-pressed={layers.ocr} className={styles.tool} data-layer="machine" data-testid="layer-ocr" onClick={toggle("ocr")}>
              OCR {suggestion.ocr_lines.length} <kbd>O</kbd>
            </button>
            <button type="button" aria-pressed={layers.barcode} className={styles.tool} data-layer="machine" data-testid="layer-barcode" onClick={toggle("barcode")}>
              {t("photo.barcodes")} {suggestion.barcodes.length} <kbd>B</kbd>
            </button>
          </div>
        )}
      </div>
      <div className={styles.stage} tabIndex={-1} id="stage">
        <PhotoStage
          key={capture.id}
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
          onDelete={(id) => {
            change(editBoxes((all) => all.filter((box) => box.id !== id)));
            setSelected(null);
          }}
          overlays={overlaysOf(suggestion, capture.id, layers, lit)}
          lit={lit}
          onLight={onLight}
        />
      </div>
    </section>
  );
}
