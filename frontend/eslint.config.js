import js from "@eslint/js";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

/** Imports point one way: shared (api, components, lib) → features → routes → app. */
const shared = ["@/features/*", "@/routes/*", "@/app/*"];
const features = ["session", "projects", "labeling", "review", "captures", "catalog", "quality", "tasks", "admin", "projectEditor"];
const common = ["session", "projects"]; // the two features that others may build on

const climb = { group: ["../*"], message: "Use @/ for another folder and ./ for this one." };
const forbid = (group, message) => ({
  "no-restricted-imports": ["error", { patterns: [climb, ...(group.length ? [{ group, message }] : [])] }],
});

export default tseslint.config(
  { ignores: ["dist", "src/lib/captions", "src/api/schema.d.ts", "node_modules"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["eslint.config.js", "scripts/budget.mjs"] }, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // the router's own way to leave a loader
      "@typescript-eslint/only-throw-error": ["error", { allow: [{ from: "package", package: "@tanstack/router-core", name: ["Redirect", "NotFoundError"] }] }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
    },
  },
  { files: ["**/*.tsx"], ...jsxA11y.flatConfigs.recommended },
  {
    files: ["**/*.ts", "**/*.tsx"],
    plugins: { "react-hooks": reactHooks },
    rules: { ...reactHooks.configs.recommended.rules, ...forbid([], "") },
  },
  {
    files: ["src/api/**", "src/components/**", "src/lib/**"],
    rules: forbid(shared, "Shared code knows no feature."),
  },
  ...features.map((feature) => ({
    files: [`src/features/${feature}/**`],
    rules: forbid(
      ["@/routes/*", "@/app/*", ...features.filter((other) => other !== feature && !common.includes(other)).map((other) => `@/features/${other}/*`)],
      "A feature builds on shared code, session and projects.",
    ),
  })),
  { files: ["src/routes/**"], rules: forbid(["@/app/*"], "Routes do not know the application.") },
  { files: ["**/*.js", "**/*.mjs"], ...tseslint.configs.disableTypeChecked, languageOptions: { globals: { console: "readonly", process: "readonly", URL: "readonly" } } },
);
