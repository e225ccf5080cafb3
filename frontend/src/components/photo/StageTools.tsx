import { useEffect, useRef, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useKeyLabel, type ActionId } from "@/lib/keymap";
import type { StageView } from "./useStageView";
import styles from "./PhotoStage.module.css";

/** Brightness and contrast for looking only; 1 is the photo as it is. */
export interface Look {
  brightness: number;
  contrast: number;
}
export const AS_IS: Look = { brightness: 1, contrast: 1 };
export const isAsIs = (look: Look) => look.brightness === 1 && look.contrast === 1;

const ICONS = {
  turn: "M12.5 5.5A5 5 0 1 0 13 8.6M13 2v3.8H9.2",
  loupe: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.3 10.3 14 14",
  adjust: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 2.5v11M8 5h4.5M8 8h5.5M8 11h4.5",
} as const;

interface ToolProps {
  action: ActionId;
  name: string;
  pressed?: boolean;
  onClick: () => void;
  children: ReactNode;
}

function Tool({ action, name, pressed, onClick, children }: ToolProps) {
  const keyLabel = useKeyLabel();
  return (
    <button type="button" aria-pressed={pressed} aria-label={name} title={`${name} (${keyLabel(action)})`} data-testid={`stage-${action}`} onClick={onClick}>
      {children}
    </button>
  );
}

const Icon = ({ name }: { name: keyof typeof ICONS }) => (
  <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" aria-hidden="true">
    <path d={ICONS[name]} />
  </svg>
);

interface Props {
  view: StageView;
  loupe: boolean;
  onLoupe: () => void;
  look: Look;
  adjusting: boolean;
  onAdjust: () => void;
  onLook: (look: Look) => void;
}

/** Zoom, turn, loupe and the picture's brightness, in the photo's corner. */
export function StageTools({ view, loupe, onLoupe, look, adjusting, onAdjust, onLook }: Props) {
  const { t } = useTranslation();
  const percent = useRef<HTMLButtonElement>(null);
  const { onPaint, read } = view;
  useEffect(() => {
    const write = (scale: number) => {
      if (percent.current) percent.current.textContent = `${Math.round(scale * 100)}%`;
    };
    write(read().scale);
    return onPaint((now) => write(now.scale));
  }, [onPaint, read]);
  return (
    // what is done here is no gesture on the photo
    <div className={styles.corner} onPointerDown={(event) => event.stopPropagation()}>
      {adjusting && <Adjust look={look} onLook={onLook} onClose={onAdjust} />}
      <div className={styles.tools}>
        <Tool action="adjust" name={t("canvas.adjust")} pressed={adjusting || !isAsIs(look)} onClick={onAdjust}>
          <Icon name="adjust" />
        </Tool>
        <Tool action="loupe" name={t("canvas.loupe")} pressed={loupe} onClick={onLoupe}>
          <Icon name="loupe" />
        </Tool>
        <Tool action="turn" name={t("canvas.turn")} onClick={() => view.rotate(1)}>
          <Icon name="turn" />
        </Tool>
        <Tool action="zoomOut" name={t("photo.zoomOut")} onClick={() => view.zoom(0.8)}>
          −
        </Tool>
        <FitButton buttonRef={percent} onClick={view.reset} />
        <Tool action="zoomIn" name={t("photo.zoomIn")} onClick={() => view.zoom(1.25)}>
          +
        </Tool>
      </div>
    </div>
  );
}

function FitButton({ buttonRef, onClick }: { buttonRef: React.Ref<HTMLButtonElement>; onClick: () => void }) {
  const { t } = useTranslation();
  const keyLabel = useKeyLabel();
  return <button ref={buttonRef} type="button" className={styles.percent} title={`${t("photo.fit")} (${keyLabel("fit")})`} data-testid="stage-fit" onClick={onClick} />;
}

const SLIDERS = ["brightness", "contrast"] as const;

function Adjust({ look, onLook, onClose }: { look: Look; onLook: (look: Look) => void; onClose: () => void }) {
  const { t } = useTranslation();
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => panel.current?.querySelector("input")?.focus(), []);
  return (
    // Escape closes it from any of its controls
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div
      ref={panel}
      className={styles.adjust}
      data-testid="adjust-panel"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        onClose();
      }}
    >
      {SLIDERS.map((name) => (
        <label key={name}>
          <span>{t(`canvas.${name}`)}</span>
          <input type="range" min={0.3} max={3} step={0.05} value={look[name]} data-testid={`adjust-${name}`} onChange={(event) => onLook({ ...look, [name]: Number(event.target.value) })} />
          <output>{Math.round(look[name] * 100)}%</output>
        </label>
      ))}
      <button type="button" disabled={isAsIs(look)} onClick={() => onLook(AS_IS)}>
        {t("canvas.asIs")}
      </button>
    </div>
  );
}
