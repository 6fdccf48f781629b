import type { Suppression } from "@/client/types.gen";
import { Confirm } from "@/components/confirm";
import { Alert } from "@/components/ui/alert";
import { REASONS } from "./reason-labels";

interface RemoveSuppressionProps {
  suppression: Suppression | null;
  onConfirm: (suppression: Suppression) => void;
  onClose: () => void;
}

/** Asks for confirmation before a suppression is removed, with a warning that depends on its reason. */
export function RemoveSuppression({ suppression, onConfirm, onClose }: RemoveSuppressionProps) {
  const complaint = suppression?.reason === "complaint";
  return (
    <Confirm
      open={suppression !== null}
      title={`Send email to ${suppression?.email ?? ""} again?`}
      description="New email is sent to this address again. Email that was suppressed is not sent automatically; you can send it again from the email log."
      action="Remove suppression"
      danger={complaint}
      onClose={onClose}
      onConfirm={() => suppression && onConfirm(suppression)}
    >
      {suppression ? (
        <Alert tone={complaint ? "danger" : "notice"}>{REASONS[suppression.reason].warning}</Alert>
      ) : null}
    </Confirm>
  );
}
