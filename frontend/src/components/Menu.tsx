import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactElement, type ReactNode, type Ref } from "react";
import { createPortal } from "react-dom";
import { isComposing } from "@/lib/hotkeys";
import styles from "./Menu.module.css";

export interface TriggerProps {
  ref: Ref<HTMLButtonElement>;
  onClick: () => void;
  "aria-haspopup": "menu";
  "aria-expanded": boolean;
  "aria-controls": string;
}

interface Props {
  trigger: (props: TriggerProps) => ReactElement;
  children: (close: () => void) => ReactNode;
  side?: "top" | "bottom";
  align?: "start" | "end";
  opened?: boolean;
  onOpened?: (opened: boolean) => void;
}

/** A menu under a button: arrows move, Enter or a click chooses, Escape and a click elsewhere close. */
export function Menu({ trigger, children, side = "bottom", align = "start", opened, onOpened }: Props) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [own, setOwn] = useState(false);
  const open = opened ?? own;
  const set = (next: boolean) => {
    setOwn(next);
    onOpened?.(next);
  };
  const close = () => set(false);

  const latest = useRef(set);
  useEffect(() => {
    latest.current = set;
  });
  useEffect(() => {
    const menu = list.current;
    const anchor = button.current;
    if (!open || !menu || !anchor) return;
    const place = () => {
      const at = anchor.getBoundingClientRect();
      menu.style.maxHeight = `${side === "top" ? at.top - 12 : window.innerHeight - at.bottom - 12}px`;
      menu.style.top = `${side === "top" ? at.top - menu.offsetHeight - 4 : at.bottom + 4}px`;
      const left = align === "end" ? at.right - menu.offsetWidth : at.left;
      menu.style.left = `${Math.max(4, Math.min(left, window.innerWidth - menu.offsetWidth - 4))}px`;
    };
    place();
    menu.querySelector<HTMLElement>("button, a")?.focus({ preventScroll: true });
    const onPointerDown = (event: PointerEvent) => {
      if (event.target instanceof Node && !menu.contains(event.target) && !anchor.contains(event.target)) latest.current(false);
    };
    document.addEventListener("pointerdown", onPointerDown, true);
    window.addEventListener("resize", place);
    return () => {
      document.removeEventListener("pointerdown", onPointerDown, true);
      window.removeEventListener("resize", place);
      // back to the button, unless the choice has already put the focus somewhere
      if (document.activeElement === document.body) anchor.focus({ preventScroll: true });
    };
  }, [open, side, align]);

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (isComposing(event.nativeEvent)) return;
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      close();
      return;
    }
    const step = event.key === "ArrowDown" || event.key === "ArrowRight" ? 1 : event.key === "ArrowUp" || event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    const items = [...event.currentTarget.querySelectorAll<HTMLElement>("button, a")];
    const now = items.findIndex((item) => item === document.activeElement);
    items[(now + step + items.length) % items.length]?.focus();
  };

  return (
    <>
      {trigger({ ref: button, onClick: () => set(!open), "aria-haspopup": "menu", "aria-expanded": open, "aria-controls": id })}
      {open &&
        createPortal(
          <div ref={list} id={id} role="menu" tabIndex={-1} className={styles.menu} onKeyDown={onKeyDown}>
            {children(close)}
          </div>,
          document.body,
        )}
    </>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <div className={styles.label}>{children}</div>;
}

export function MenuItem({ children, onChoose, strong = false, testId }: { children: ReactNode; onChoose: () => void; strong?: boolean; testId?: string }) {
  return (
    <button type="button" role="menuitem" className={styles.item} data-strong={strong || undefined} data-testid={testId} onClick={onChoose}>
      {children}
    </button>
  );
}
