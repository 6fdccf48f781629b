import { createFileRoute } from "@tanstack/react-router";
import { DevicesPage } from "@/features/devices/devices-page";
import { pageTitle } from "@/lib/page-title";

export const Route = createFileRoute("/_app/devices")({
  head: () => pageTitle("Devices"),
  component: DevicesPage,
});
