import fc from "fast-check";
import { expect, it } from "vitest";
import { MAX_GAP_MS, MIN_LENGTH, feed, scanned, type Burst } from "./scanner";

const type = (text: string, gaps: readonly number[]): { burst: Burst | null; at: number } => {
  let burst: Burst | null = null;
  let at = 0;
  Array.from(text).forEach((character, index) => {
    at += gaps[index % gaps.length] ?? 0;
    burst = feed(burst, character, at);
  });
  return { burst, at };
};
const code = fc.stringMatching(/^[0-9A-Z-]{6,20}$/);

it("reads whatever is scanned, whole", () => {
  fc.assert(
    fc.property(code, fc.array(fc.integer({ min: 0, max: MAX_GAP_MS }), { minLength: 1, maxLength: 20 }), (text, gaps) => {
      const { burst, at } = type(text, gaps);
      expect(scanned(burst, at + 20)).toBe(text);
    }),
  );
});

it("takes nobody's typing for a scan", () => {
  fc.assert(
    fc.property(code, fc.array(fc.integer({ min: MAX_GAP_MS + 1, max: 400 }), { minLength: 1, maxLength: 20 }), (text, gaps) => {
      const { burst, at } = type(text, gaps);
      expect(scanned(burst, at + 20)).toBeNull();
    }),
  );
});

it("leaves out what was typed before the scan began", () => {
  const typed = feed(null, "1", 0);
  let burst: Burst = typed;
  Array.from("6901234567892").forEach((character, index) => (burst = feed(burst, character, 300 + index * 8)));
  expect(scanned(burst, 420)).toBe("6901234567892");
});

it("needs a few characters and a prompt Enter", () => {
  const { burst, at } = type("1".repeat(MIN_LENGTH - 1), [5]);
  expect(scanned(burst, at + 5)).toBeNull();
  expect(scanned(feed(burst, "1", at + 5), at + 500)).toBeNull();
  expect(scanned(null, 0)).toBeNull();
});
