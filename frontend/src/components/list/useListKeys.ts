import { useEffect } from "react";
import { isComposing, isTextTarget } from "@/lib/hotkeys";

const ROWS = "#main table.list > tbody > tr, #main [data-list] > li";
/** What a row opens: its first link or button; Enter on it is the browser's own. */
const opener = (row: Element) => row.querySelector<HTMLElement>(":is(a[href], button:not([disabled], [tabindex='-1']))");

function rowsInSight(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(ROWS)].filter((row) => opener(row) !== null && row.offsetParent !== null);
}

/** How many tiles stand side by side; 1 in a table. */
function perLine(rows: readonly HTMLElement[]): number {
  const [first] = rows;
  if (!first || first instanceof HTMLTableRowElement) return 1;
  const next = rows.findIndex((row) => row.offsetTop > first.offsetTop);
  return next === -1 ? rows.length : next;
}

/** Which row a key leads to; null when the key is no list's. */
export function step(key: string, now: number, count: number, line: number): number | null {
  const by: Record<string, number> = { ArrowDown: line, ArrowUp: -line, ...(line > 1 && { ArrowRight: 1, ArrowLeft: -1 }) };
  const move = by[key];
  if (move === undefined || count === 0) return null;
  if (now === -1) return move > 0 ? 0 : null;
  const to = now + move;
  return to >= 0 && to < count ? to : null;
}

/** Keys of every page with a list: arrows go from row to row, Enter opens, `/` goes to the search, `x` ticks. Mounted once. */
export function useListKeys(): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || isComposing(event) || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      const target = event.target instanceof Element ? event.target : document.body;
      if (document.querySelector("[role=dialog][aria-modal=true]") || target.closest("[role=menu], [role=listbox], [role=radiogroup], [role=tablist], select")) return;
      const search = document.querySelector<HTMLInputElement>("#main input[data-search]");
      if (isTextTarget(target)) {
        // from the search, down leads into the list
        if (target !== search || event.key !== "ArrowDown") return;
      } else if (event.key === "/" && search) {
        event.preventDefault();
        search.focus();
        search.select();
        return;
      }
      const rows = rowsInSight();
      const now = rows.findIndex((row) => row.contains(target));
      if (event.key === "x" && now >= 0) {
        rows[now]?.querySelector<HTMLInputElement>("input[type=checkbox]")?.click();
        return;
      }
      const to = step(event.key, now, rows.length, perLine(rows));
      const row = to === null ? undefined : rows[to];
      if (!row) return;
      event.preventDefault();
      opener(row)?.focus();
      row.scrollIntoView({ block: "nearest" });
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);
}
