import { useEffect, useRef, useState } from "react";
import { linear, path, ticks } from "./scale";
import styles from "./chart.module.css";

export interface Series {
  name: string;
  color: string;
  values: readonly (number | null)[];
}

interface Props {
  title: string;
  unit: string;
  labels: readonly string[];
  series: readonly Series[];
  height?: number;
}

const LEFT = 44;
const RIGHT = 96;
/** Of a letter of the names at the lines' ends, px; as wide as two of them where it is Chinese. */
const LETTER = 7.2;
const letters = (text: string) => Array.from(text).reduce((n, one) => n + (one > "\u2e7f" ? 2 : 1), 0);
const TOP = 18;
const BOTTOM = 24;

/** Lines over days, an axis with its unit, names written at the lines' ends. */
export function LineChart({ title, unit, labels, series, height = 220 }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(640);
  useEffect(() => {
    const node = frame.current;
    if (!node) return;
    const observer = new ResizeObserver(() => setWidth(node.clientWidth));
    observer.observe(node);
    return () => observer.disconnect();
  }, []);

  const right = Math.max(RIGHT, ...series.map((one) => 12 + LETTER * letters(`${one.name} ${one.values.findLast((value) => value !== null) ?? ""}${unit}`)));
  const max = Math.max(0, ...series.flatMap((one) => one.values.map((value) => value ?? 0)));
  const marks = ticks(max);
  const x = linear([0, Math.max(labels.length - 1, 1)], [LEFT, width - right]);
  const y = linear([0, marks.at(-1) ?? 1], [height - BOTTOM, TOP]);
  const every = Math.max(1, Math.ceil(labels.length / Math.max(2, Math.floor((width - LEFT - right) / 64))));
  const ends = series
    .map((one) => ({ ...one, at: one.values.findLastIndex((value) => value !== null) }))
    .filter((one) => one.at >= 0)
    .map((one) => ({ ...one, labelY: y(one.values[one.at] ?? 0) }))
    .sort((a, b) => a.labelY - b.labelY);
  ends.forEach((one, index) => {
    const above = ends[index - 1];
    if (above && one.labelY - above.labelY < 14) one.labelY = above.labelY + 14;
  });

  return (
    <figure className={styles.figure}>
      <figcaption>{title}</figcaption>
      <div ref={frame}>
        <svg width={width} height={height} role="img" aria-label={title} className={styles.chart}>
          <text x={LEFT - 6} y={11} textAnchor="end" className={styles.axis}>
            {unit}
          </text>
          {marks.map((mark) => (
            <g key={mark}>
              <line x1={LEFT} x2={width - right} y1={y(mark)} y2={y(mark)} className={styles.grid} />
              <text x={LEFT - 6} y={y(mark) + 4} textAnchor="end" className={styles.axis}>
                {mark}
              </text>
            </g>
          ))}
          {labels.map((label, index) =>
            index % every === 0 ? (
              <text key={index} x={x(index)} y={height - 6} textAnchor="middle" className={styles.axis}>
                {label}
              </text>
            ) : null,
          )}
          {series.map((one) => (
            <path key={one.name} d={path(one.values.map((value, index) => (value === null ? null : [x(index), y(value)])))} fill="none" stroke={one.color} strokeWidth="2" />
          ))}
          {ends.map((one) => (
            <g key={one.name}>
              <circle cx={x(one.at)} cy={y(one.values[one.at] ?? 0)} r="3" fill={one.color} />
              <text x={x(one.at) + 8} y={one.labelY + 4} fill={one.color} className={styles.name}>
                {one.name} {one.values[one.at]}
              </text>
            </g>
          ))}
        </svg>
      </div>
    </figure>
  );
}
