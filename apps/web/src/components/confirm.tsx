import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";

interface ConfirmProps {
  open: boolean;
  title: string;
  description: ReactNode;
  /** The label of the button that confirms: "Delete order-shipped". */
  action: string;
  /** For an action that deletes something. */
  danger?: boolean;
  /** The label of the other button, where "Cancel" would be ambiguous. */
  dismiss?: string;
  onConfirm: () => void;
  onClose: () => void;
  children?: ReactNode;
}

/** Asks for confirmation. The focus is on the button that does nothing. */
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
