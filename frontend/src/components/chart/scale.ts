/** Round numbers for an axis from 0 to at least `max`. */
export function ticks(max: number, wanted = 4): number[] {
  if (max <= 0) return [0, 1];
  const rough = max / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? rough;
  const all: number[] = [];
  for (let value = 0; value < max + step; value += step) all.push(Number(value.toPrecision(12)));
  return all;
}

export const linear = (domain: [number, number], range: [number, number]) => (value: number) =>
  domain[1] === domain[0] ? (range[0] + range[1]) / 2 : range[0] + ((value - domain[0]) / (domain[1] - domain[0])) * (range[1] - range[0]);

/** An SVG path through the known points; unknown ones break the line. */
export function path(points: readonly ([number, number] | null)[]): string {
  let pen = "M";
  let d = "";
  for (const point of points) {
    if (!point) {
      pen = "M";
      continue;
    }
    d += `${pen}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
    pen = "L";
  }
  return d;
}
