/** Numbers and times as people read them. */
export function seconds(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;
}

/** .97, as instruments show a probability. */
export function probability(value: number | null | undefined): string {
  if (value === null || value === undefined) return "";
  return value >= 0.995 ? "1.0" : value.toFixed(2).replace(/^0/, "");
}

export const integer = (value: number, language: string) => new Intl.NumberFormat(language).format(value);

export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  if (value < 1e6) return `${(value / 1000).toFixed(0)} kB`;
  return `${(value / 1e6).toFixed(1)} MB`;
}

export function dateTime(iso: string | null | undefined, language: string): string {
  if (!iso) return "–";
  return new Intl.DateTimeFormat(language, { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false }).format(new Date(iso));
}

export function day(iso: string, language: string): string {
  return new Intl.DateTimeFormat(language, { month: "numeric", day: "numeric" }).format(new Date(iso));
}
