import { createFileRoute } from "@tanstack/react-router";
import { ApiKeysPage } from "@/features/api-keys/api-keys-page";
import { pageTitle } from "@/lib/page-title";

export const Route = createFileRoute("/_app/settings/api-keys")({
  head: () => pageTitle("API keys"),
  component: ApiKeysPage,
});
