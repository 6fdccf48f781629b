import { Bot, CircleHelp, Monitor, Smartphone, Tablet } from "lucide-react";
import type { Device } from "@/client/types.gen";

const ICONS: Record<Device["kind"], typeof Monitor> = {
  desktop: Monitor,
  mobile: Smartphone,
  tablet: Tablet,
  bot: Bot,
  unknown: CircleHelp,
};

const NAMES: Record<Device["kind"], string> = {
  desktop: "Computer",
  mobile: "Phone",
  tablet: "Tablet",
  bot: "Bot",
  unknown: "Device",
};

export function DeviceIcon({ kind }: { kind: Device["kind"] }) {
  const Icon = ICONS[kind];
  return (
    <span className="grid size-11 shrink-0 place-items-center rounded-lg bg-sunken text-muted">
      <Icon size={22} aria-hidden />
      <span className="sr-only">{NAMES[kind]}: </span>
    </span>
  );
}
