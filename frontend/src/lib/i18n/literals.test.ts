import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

/** Attributes whose text people read or hear. */
const READ = new Set(["aria-label", "aria-description", "alt", "title", "placeholder", "label", "description", "error", "none", "hint"]);
/** Names, units and keys that are the same in every language. */
const SAME_EVERYWHERE = /^(?:SKU|IoU|OCR|WMS|SHA-256|CSV|ZIP|S3|API|WareVision|Markdown|Ctrl|Alt|Shift|Esc|Space|Delete|Tab|px|ms|s|α|F5|v|x|[A-Z]|Σ|×|\d)+$/;

/** Values of the caption language, which is Chinese whatever the page speaks. */
const EXAMPLES = new Set(["500ml×6瓶/箱", "1箱"]);

const saysSomething = (text: string) => !EXAMPLES.has(text) && text.split(/[^\p{L}\p{N}-]+/u).some((word) => /\p{L}/u.test(word) && !SAME_EVERYWHERE.test(word));

/** Texts in JSX that are no translation: between tags, in attributes, and as alternatives of either. */
export function literals(name: string, source: string): string[] {
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found: string[] = [];
  const note = (text: string) => {
    if (saysSomething(text)) found.push(text.trim());
  };
  const inExpression = (node: ts.Expression | undefined): void => {
    if (!node) return;
    if (ts.isStringLiteralLike(node)) note(node.text);
    else if (ts.isTemplateExpression(node)) [node.head, ...node.templateSpans.map((span) => span.literal)].forEach((piece) => note(piece.text));
    else if (ts.isConditionalExpression(node)) [node.whenTrue, node.whenFalse].forEach(inExpression);
    else if (ts.isParenthesizedExpression(node)) inExpression(node.expression);
    else if (ts.isBinaryExpression(node) && [ts.SyntaxKind.BarBarToken, ts.SyntaxKind.QuestionQuestionToken, ts.SyntaxKind.AmpersandAmpersandToken, ts.SyntaxKind.PlusToken].includes(node.operatorToken.kind)) {
      if (node.operatorToken.kind !== ts.SyntaxKind.AmpersandAmpersandToken) inExpression(node.left);
      inExpression(node.right);
    }
  };
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) note(node.text);
    if (ts.isJsxExpression(node) && (ts.isJsxElement(node.parent) || ts.isJsxFragment(node.parent))) inExpression(node.expression);
    if (ts.isJsxAttribute(node) && READ.has(node.name.getText(file)) && node.initializer) {
      if (ts.isStringLiteral(node.initializer)) note(node.initializer.text);
      else if (ts.isJsxExpression(node.initializer)) inExpression(node.initializer.expression);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function pages(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? pages(join(folder, entry.name)) : entry.name.endsWith(".tsx") ? [join(folder, entry.name)] : []));
}

describe("text on the pages", () => {
  it("comes from the translations", () => {
    const root = join(process.cwd(), "src");
    const all = pages(root);
    expect(all.length).toBeGreaterThan(80);
    expect(all.flatMap((path) => literals(path, readFileSync(path, "utf8")).map((text) => `${relative(root, path)}: ${text}`))).toEqual([]);
  });

  it.each([
    ["<p>Hello</p>", "Hello"],
    ["<p>已保存</p>", "已保存"],
    ['<img alt="A photo" />', "A photo"],
    ["<p>{ok ? 'fine' : t('x')}</p>", "fine"],
    ["<p>{name || 'nobody'}</p>", "nobody"],
    ["<b title={`Task ${id}`} />", "Task"],
  ])("would not go unnoticed: %s", (source, text) => expect(literals("a.tsx", `const a = ${source};`)).toEqual([text]));

  it.each(["<p>#{id} · IoU {x} px</p>", "<kbd>Ctrl ⏎</kbd>", '<p className="page head">{t("a.b")}</p>', "<p>{a === 'x' && b}</p>"])("leaves be: %s", (source) => expect(literals("a.tsx", `const a = ${source};`)).toEqual([]));
});
