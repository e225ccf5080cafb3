import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const backend = process.env.WAREVISION_URL ?? "http://127.0.0.1:8000";

export default defineConfig(({ command }) => ({
  // Django serves index.html itself and the hashed files through whitenoise under /static/.
  base: command === "build" ? "/static/" : "/",
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2022",
    manifest: true,
    // a strict Content-Security-Policy: nothing inline
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: Object.fromEntries(["/api", "/v1", "/media", "/healthz", "/readyz"].map((path) => [path, backend])),
  },
  test: { environment: "node", include: ["src/**/*.test.ts", "src/**/*.test.tsx"] },
}));
