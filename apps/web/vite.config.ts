import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import { tanstackRouter } from "@tanstack/router-plugin/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const service = process.env.GATEPOST_DEV_SERVICE ?? "http://127.0.0.1:8000";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [
    tanstackRouter({ target: "react", autoCodeSplitting: true, routesDirectory: "src/routes" }),
    react(),
    tailwindcss(),
  ],
  resolve: {
    alias: {
      "@codemirror/lang-javascript": source("./src/features/email-templates/editor/code/no-scripts.ts"),
      "@": source("./src"),
    },
  },
  // Into the Python package: there the service finds them, in a checkout and in a wheel.
  build: {
    outDir: "../api/gatepost/pages",
    emptyOutDir: true,
    manifest: true,
    target: "es2023",
    assetsInlineLimit: 0,
  },
  server: {
    // The pages' origin is the Vite server's while developing; the service sees its own.
    proxy: Object.fromEntries(
      ["/v1", "/healthz", "/readyz", "/openapi.json", "/docs"].map((path) => [path, { target: service }]),
    ),
  },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], globals: false },
});
