import { Badge } from "@/components/ui/badge";
import type { Status } from "./statuses";
import { STATUSES } from "./words";

export function StatusBadge({ status }: { status: Status }) {
  const { word, tone } = STATUSES[status];
  return <Badge tone={tone}>{word}</Badge>;
}
