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
  // Built into the Python package, where the service finds the pages in a checkout and in a wheel.
  build: {
    outDir: "../api/gatepost/pages",
    emptyOutDir: true,
    manifest: true,
    target: "es2023",
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [{ name: "vendor", test: /node_modules\/(react|react-dom|scheduler|@tanstack|clsx)\// }],
        },
      },
    },
  },
  server: {
    // During development the pages come from the Vite server, which passes API requests on to the service.
    proxy: Object.fromEntries(
      ["/v1", "/healthz", "/readyz", "/openapi.json", "/docs"].map((path) => [path, { target: service }]),
    ),
  },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], globals: false, testTimeout: 20_000 },
});
