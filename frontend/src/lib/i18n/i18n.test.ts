import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import en from "./en.json";
import ja from "./ja.json";
import zh from "./zh.json";

type Tree = { [key: string]: string | Tree };
const leaves = (tree: Tree, prefix = ""): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]) => (typeof value === "string" ? [[prefix + key, value] as [string, string]] : leaves(value, `${prefix}${key}.`)));

const languages = { zh, en, ja } as unknown as Record<string, Tree>;
const zhKeys = new Map(leaves(languages.zh ?? {}));
const variables = (text: string) => [...text.matchAll(/{{(\w+)}}/g)].map((match) => match[1]).sort();

describe.each(["en", "ja"])("%s", (language) => {
  const texts = new Map(leaves(languages[language] ?? {}));
  it("has the very keys of Chinese", () => expect([...texts.keys()].sort()).toEqual([...zhKeys.keys()].sort()));
  it("fills in the same values", () => {
    for (const [key, text] of texts) expect([key, ...variables(text)]).toEqual([key, ...variables(zhKeys.get(key) ?? "")]);
  });
});

it("leaves no text empty and exclaims nowhere", () => {
  for (const language of Object.values(languages)) for (const [key, text] of leaves(language)) expect([key, text !== "" && !/[!！]/.test(text)]).toEqual([key, true]);
});

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(entry.name) && !entry.name.endsWith(".test.ts") ? [path] : [];
  });
}

it("knows every key that the pages ask for", () => {
  const asked = sources(join(process.cwd(), "src")).flatMap((path) => [...readFileSync(path, "utf8").matchAll(/\bt\(\s*"([^"]+)"/g)].map((match) => match[1] ?? ""));
  expect(asked.length).toBeGreaterThan(100);
  expect(asked.filter((key) => !zhKeys.has(key))).toEqual([]);
});
