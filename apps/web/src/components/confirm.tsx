import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";

interface ConfirmProps {
  open: boolean;
  title: string;
  description: ReactNode;
  /** What the button does: "Delete order-shipped". */
  action: string;
  /** It takes something away. */
  danger?: boolean;
  /** What "no" is called, where "Cancel" could mean the other. */
  dismiss?: string;
  onConfirm: () => void;
  onClose: () => void;
  children?: ReactNode;
}

/** Asks before something is done; whoever presses Enter without reading has said no. */
export function Confirm({
  open,
  title,
  description,
  action,
  danger,
  dismiss = "Cancel",
  onConfirm,
  onClose,
  children,
}: ConfirmProps) {
  return (
    <Dialog open={open} onClose={onClose} title={title} description={description}>
      {children}
      <div className="flex flex-wrap justify-end gap-3">
        <Button autoFocus onClick={onClose}>
          {dismiss}
        </Button>
        <Button variant={danger ? "danger" : "primary"} className="whitespace-normal!" onClick={onConfirm}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
