import { Badge } from "@/components/ui/badge";
import { STATUSES, type Status } from "./status-labels";

export function StatusBadge({ status }: { status: Status }) {
  const { label, tone } = STATUSES[status];
  return <Badge tone={tone}>{label}</Badge>;
}
