import { useState } from "react";
import { Confirm } from "@/components/confirm";
import { Button } from "@/components/ui/button";
import { useRevokeOtherSessions } from "./mutations";

interface SignOutOthersProps {
  /** The number of other devices. */
  count: number;
  /** The name of this device. */
  current: string;
  /** Called when they are signed out. The button that had the focus is about to go. */
  onDone: () => void;
}

/** The button that signs out all other devices, after a confirmation. */
export function SignOutOthers({ count, current, onDone }: SignOutOthersProps) {
  const [open, setOpen] = useState(false);
  const revoke = useRevokeOtherSessions(onDone);
  const action = `Sign out ${count === 1 ? "1 other device" : `${count} other devices`}`;
  const handleConfirm = () => {
    setOpen(false);
    revoke.mutate();
  };
  return (
    <>
      <Button
        variant="danger-quiet"
        className="justify-self-start"
        busy={revoke.isPending}
        onClick={() => setOpen(true)}
      >
        {action}
      </Button>
      <Confirm
        open={open}
        title={`${action}?`}
        description={
          <>
            Each one is signed out at its next request. This device,{" "}
            <strong className="text-ink">{current}</strong>, stays signed in.
          </>
        }
        action={action}
        danger
        onConfirm={handleConfirm}
        onClose={() => setOpen(false)}
      />
    </>
  );
}
