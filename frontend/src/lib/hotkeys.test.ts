import { describe, expect, it, vi } from "vitest";
import { chord, match, type KeyEventLike } from "./hotkeys";

const press = (event: Partial<KeyEventLike>): KeyEventLike => ({
  key: "", code: "", ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, isComposing: false, keyCode: 0, ...event,
});

describe("chords", () => {
  it.each([
    [press({ key: "z", code: "KeyZ", ctrlKey: true }), "mod+z"],
    [press({ key: "Z", code: "KeyZ", metaKey: true, shiftKey: true }), "mod+shift+z"],
    [press({ key: "Process", code: "Digit3", altKey: true }), "alt+3"],
    [press({ key: "Enter", code: "Enter", ctrlKey: true }), "mod+enter"],
    [press({ key: "?", code: "Slash", shiftKey: true }), "?"],
    [press({ key: " ", code: "Space" }), "space"],
    [press({ key: "ArrowUp", code: "ArrowUp", shiftKey: true }), "shift+arrowup"],
  ])("%#", (event, name) => expect(chord(event)).toBe(name));
});

describe("matching", () => {
  const submit = vi.fn();
  const keys = { "mod+enter": { run: submit, inText: true }, "1": submit };
  const enter = press({ key: "Enter", code: "Enter", ctrlKey: true });

  it("works inside text only where allowed", () => {
    expect(match(enter, true, keys)).not.toBeNull();
    expect(match(press({ key: "1", code: "Digit1" }), true, keys)).toBeNull();
    expect(match(press({ key: "1", code: "Digit1" }), false, keys)).not.toBeNull();
  });

  it("leaves every key to a composing input method", () => {
    expect(match({ ...enter, isComposing: true }, true, keys)).toBeNull();
    expect(match({ ...enter, keyCode: 229 }, true, keys)).toBeNull();
  });
});
