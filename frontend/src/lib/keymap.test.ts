import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ACTIONS, ACTION_IDS, chordLabel, conflictOf, keysLabel, keysOf, readOwnKeys, refusalOf } from "./keymap";

describe("the keys as they come", () => {
  it("mean one thing each", () => {
    for (const id of ACTION_IDS) for (const key of ACTIONS[id].keys) expect([key, conflictOf({}, id, key)]).toEqual([key, null]);
  });

  it("switch the heat map of the field in which one types", () => {
    expect(ACTIONS.heat).toMatchObject({ group: "view", keys: ["alt+h"], inText: true });
    expect(keysOf(readOwnKeys({ heat: "f8" }), "heat")).toEqual(["f8"]);
    expect(refusalOf("heat", "h")).toBe("typing");
  });

  it("leave to input methods, the browser and to typing what is theirs", () => {
    for (const id of ACTION_IDS.filter((one) => !ACTIONS[one].fixed)) for (const key of ACTIONS[id].keys) expect([id, key, refusalOf(id, key)]).toEqual([id, key, null]);
    for (const id of ACTION_IDS) for (const key of ACTIONS[id].keys) expect(["mod+space", "enter", "shift+space", "space"]).not.toContain(key);
  });
});

describe("a person's own keys", () => {
  it("take the place of the key that was there", () => {
    const own = readOwnKeys({ draw: "q" });
    expect(keysOf(own, "draw")).toEqual(["q"]);
    expect(conflictOf(own, "loupe", "q")).toBe("draw");
    expect(conflictOf(own, "loupe", "r")).toBeNull();
  });

  it("are named where they collide, rows of digits included", () => {
    expect(conflictOf({}, "loupe", "mod+z")).toBe("undo");
    expect(conflictOf({}, "loupe", "3")).toBe("candidate");
    expect(conflictOf({}, "undo", "mod+z")).toBeNull();
  });

  it.each([
    ["draw", "mod+space", "input_method"],
    ["submit", "enter", "input_method"],
    ["draw", "tab", "page"],
    ["draw", "mod+w", "browser"],
    ["submit", "s", "typing"],
    ["repeat", "shift+a", "typing"],
    ["draw", "s", null],
    ["submit", "f9", null],
    ["submit", "mod+s", null],
  ] as const)("%s on %s: %s", (id, key, refusal) => expect(refusalOf(id, key)).toBe(refusal));

  it("of another version, or bent out of shape, do no harm", () => {
    expect(readOwnKeys({ gone: "x", draw: 5, candidate: "q", undo: "", lock: "q" })).toEqual({ lock: "q" });
    fc.assert(fc.property(fc.anything(), (kept) => typeof readOwnKeys(kept) === "object"));
  });
});

describe("labels", () => {
  it.each([
    ["mod+enter", "Ctrl ⏎"],
    ["mod+shift+z", "Ctrl Shift Z"],
    ["f4", "F4"],
    ["+", "+"],
    ["shift+arrowup", "Shift ↑"],
  ])("%s", (key, label) => expect(chordLabel(key, false)).toBe(label));
  it("tell a row shortly", () => {
    expect(keysLabel({}, "candidate")).toBe("1 – 9");
    expect(keysLabel({}, "condition")).toBe("Shift 1 – 5");
    expect(keysLabel({}, "nudge")).toBe("↑↓←→ / Shift ↑↓←→");
    expect(keysLabel({ undo: "f2" }, "undo")).toBe("F2");
  });
});
