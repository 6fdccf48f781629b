import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { useRevokeOtherSessions } from "./mutations";

interface SignOutOthersProps {
  others: number;
  stays: string;
  /** They are signed out; with the last of them this goes, so the focus has to go elsewhere. */
  onDone: () => void;
}

/** Ends all other devices, after saying what stays. */
export function SignOutOthers({ others, stays, onDone }: SignOutOthersProps) {
  const [open, setOpen] = useState(false);
  const revoke = useRevokeOtherSessions(onDone);
  const what = others === 1 ? "1 other device" : `${others} other devices`;
  const confirm = () => {
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
        Sign out {what}
      </Button>
      <Dialog
        open={open}
        onClose={() => setOpen(false)}
        title={`Sign out ${what}?`}
        description={
          <>
            Each will be signed out at its next request. This device,{" "}
            <strong className="text-ink">{stays}</strong>, stays signed in.
          </>
        }
      >
        <div className="flex flex-wrap justify-end gap-3">
          <Button autoFocus onClick={() => setOpen(false)}>
            Cancel
          </Button>
          <Button variant="danger" onClick={confirm}>
            Sign out {what}
          </Button>
        </div>
      </Dialog>
    </>
  );
}
