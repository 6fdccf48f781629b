import { Badge } from "@/components/ui/badge";
import { STATUSES } from "./status-labels";
import type { Status } from "./statuses";

export function StatusBadge({ status }: { status: Status }) {
  const { word, tone } = STATUSES[status];
  return <Badge tone={tone}>{word}</Badge>;
}
