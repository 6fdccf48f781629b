import type { Suppression } from "@/client/types.gen";
import { Confirm } from "@/components/confirm";
import { Alert } from "@/components/ui/alert";
import { REASONS } from "./reason-labels";

interface RemoveSuppressionProps {
  suppression: Suppression | null;
  onConfirm: (suppression: Suppression) => void;
  onClose: () => void;
}

/** Asks before an address is written to again, and says what that may bring about. */
export function RemoveSuppression({ suppression, onConfirm, onClose }: RemoveSuppressionProps) {
  const complaint = suppression?.reason === "complaint";
  return (
    <Confirm
      open={suppression !== null}
      title={`Write to ${suppression?.email ?? ""} again?`}
      description="Mail to it goes out from now on. What was held back until now is not sent by itself: the e-mail log can send it again."
      action="Take it off the list"
      danger={complaint}
      dismiss="Keep it on the list"
      onClose={onClose}
      onConfirm={() => suppression && onConfirm(suppression)}
    >
      {suppression ? (
        <Alert tone={complaint ? "danger" : "notice"}>{REASONS[suppression.reason].before}</Alert>
      ) : null}
    </Confirm>
  );
}
