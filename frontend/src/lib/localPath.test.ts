import { expect, it } from "vitest";
import { localPath } from "./localPath";

it("goes to local paths", () => expect(localPath("/p/3/label?x=1#y")).toBe("/p/3/label?x=1#y"));

it.each([undefined, "", "https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)", "evil", "\\\\evil"])(
  "refuses %s",
  (next) => expect(localPath(next)).toBe("/"),
);
