import { createFileRoute } from "@tanstack/react-router";
import { NotificationsPage } from "@/features/notifications/notifications-page";
import { pageTitle } from "@/lib/page-title";

export const Route = createFileRoute("/_app/settings/notifications")({
  head: () => pageTitle("Notifications"),
  component: NotificationsPage,
});
