import { linear, path } from "./scale";

interface Props {
  values: readonly (number | null)[];
  threshold?: number | null;
  width?: number;
  height?: number;
  label: string;
}

/** The course of one number; the dashed line is what it has to reach. */
export function Sparkline({ values, threshold = null, width = 132, height = 30, label }: Props) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return <svg width={width} height={height} aria-hidden="true" />;
  const all = threshold === null ? known : [...known, threshold];
  const x = linear([0, values.length - 1], [2, width - 4]);
  const y = linear([Math.min(...all), Math.max(...all)], [height - 3, 3]);
  const last = values.findLastIndex((value) => value !== null);
  return (
    <svg width={width} height={height} role="img" aria-label={label}>
      {threshold !== null && <line x1="0" x2={width} y1={y(threshold)} y2={y(threshold)} stroke="var(--wv-line-strong)" strokeDasharray="3 3" />}
      <path d={path(values.map((value, index) => (value === null ? null : [x(index), y(value)])))} fill="none" stroke="var(--wv-text)" strokeWidth="1.5" />
      <circle cx={x(last)} cy={y(values[last] ?? 0)} r="2.5" fill="var(--wv-text)" />
    </svg>
  );
}
