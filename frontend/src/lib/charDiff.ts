export interface Piece {
  text: string;
  same: boolean;
}

/** Marks in `value` the characters that `other` does not share (longest common subsequence, code points). */
export function charDiff(value: string, other: string): Piece[] {
  const a = Array.from(value);
  const b = Array.from(other);
  const width = b.length + 1;
  const lcs = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number) => lcs[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lcs[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pieces: Piece[] = [];
  const push = (text: string, same: boolean) => {
    const last = pieces.at(-1);
    if (last && last.same === same) last.text += text;
    else pieces.push({ text, same });
  };
  let j = 0;
  for (let i = 0; i < a.length; i++) {
    const character = a[i] ?? "";
    while (j < b.length && character !== b[j] && at(i, j + 1) >= at(i + 1, j)) j++;
    if (j < b.length && character === b[j]) {
      push(character, true);
      j++;
    } else push(character, false);
  }
  return pieces;
}
