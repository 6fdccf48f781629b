import { Toast } from "@base-ui/react/toast";
import { CircleAlert, CircleCheck, X } from "lucide-react";
import { toasts } from "@/lib/toasts";

/** The toasts. F6 moves the focus to them; they stay while they are hovered or focused. */
export function Toaster() {
  return (
    <Toast.Provider toastManager={toasts} limit={3}>
      <Toast.Portal>
        <Toast.Viewport className="fixed inset-x-4 bottom-4 z-50 mx-auto flex max-w-sm flex-col gap-2 sm:right-6 sm:left-auto sm:w-96">
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function List() {
  const { toasts: shown } = Toast.useToastManager();
  return shown.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      className="card flex animate-[appear_150ms_ease-out] items-start gap-3 p-4 shadow-float"
    >
      {toast.type === "failed" ? (
        <CircleAlert size={20} className="mt-0.5 shrink-0 text-danger" aria-hidden />
      ) : (
        <CircleCheck size={20} className="mt-0.5 shrink-0 text-brand" aria-hidden />
      )}
      <div className="min-w-0 grow text-sm wrap-anywhere">
        <Toast.Title className="font-medium" />
        <Toast.Description className="mt-0.5 text-muted" />
      </div>
      <Toast.Close
        aria-label="Dismiss"
        className="grid size-7 shrink-0 place-items-center rounded-md text-muted hover:bg-sunken hover:text-ink"
      >
        <X size={16} aria-hidden />
      </Toast.Close>
    </Toast.Root>
  ));
}
