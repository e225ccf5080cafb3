/**
 * The active seconds of look-alikes that were confirmed together. What was spent in the fields of one is its own;
 * all the rest, looking over the grid and what was knocked out included, is divided evenly. In tenths of a second
 * that add up to the whole.
 */
export function shareSeconds(total: number, own: Readonly<Record<number, number>>, confirmed: readonly number[]): Record<number, number> {
  if (confirmed.length === 0) return {};
  const tenths = Math.max(0, Math.round(total * 10));
  const wanted = confirmed.map((id) => Math.max(0, own[id] ?? 0) * 10);
  const sum = wanted.reduce((a, b) => a + b, 0);
  // more of its own than there is altogether: clocks that were read apart
  const scale = sum > tenths ? tenths / sum : 1;
  const even = (tenths - sum * scale) / confirmed.length;
  let exact = 0;
  let given = 0;
  return Object.fromEntries(
    confirmed.map((id, index) => {
      exact += (wanted[index] ?? 0) * scale + even;
      const part = Math.round(exact) - given;
      given += part;
      return [id, part / 10];
    }),
  );
}
