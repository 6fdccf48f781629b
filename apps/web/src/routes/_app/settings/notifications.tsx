import { createFileRoute } from "@tanstack/react-router";
import { NoticesPage } from "@/features/notifications/notifications-page";

export const Route = createFileRoute("/_app/settings/notifications")({
  head: () => ({ meta: [{ title: "Notifications · Gatepost" }] }),
  component: NoticesPage,
});
