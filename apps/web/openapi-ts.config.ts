import { defineConfig } from "@hey-api/openapi-ts";

export default defineConfig({
  input: "../../docs/openapi.json",
  output: { path: "src/client", clean: true },
  plugins: [
    { name: "@hey-api/client-fetch", throwOnError: true, runtimeConfigPath: "@/lib/api" },
    "@hey-api/typescript",
    "@hey-api/sdk",
    { name: "@tanstack/react-query", infiniteQueryOptions: false },
  ],
});
