// Adds up what the labeling page loads (entry, its route and everything they import statically, one language)
// and fails the build when the gzipped JavaScript is over budget.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 230;
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));

const seen = new Set();
function collect(key) {
  if (seen.has(key)) return;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) collect(next);
}
const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
collect(entry);
for (const wanted of ["src/routes/projectLabel.tsx", "src/lib/i18n/zh.json"]) {
  if (!manifest[wanted]) throw new Error(`budget: ${wanted} is not a chunk of its own any more`);
  collect(wanted);
}

const size = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length / 1000;
let js = 0;
const css = new Set();
for (const key of seen) {
  const { file, css: sheets = [] } = manifest[key];
  sheets.forEach((sheet) => css.add(sheet));
  if (file.endsWith(".js")) js += size(file);
}
const styles = [...css].reduce((sum, file) => sum + size(file), 0);
console.log(`labeling page: ${js.toFixed(1)} kB JavaScript and ${styles.toFixed(1)} kB CSS, gzipped (budget ${BUDGET_KB} kB of JavaScript)`);
if (js > BUDGET_KB) {
  console.error(`over budget by ${(js - BUDGET_KB).toFixed(1)} kB`);
  process.exit(1);
}
