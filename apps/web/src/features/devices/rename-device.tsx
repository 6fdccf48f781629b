import { type KeyboardEvent, type SubmitEvent, useEffect, useId, useRef } from "react";
import type { Session } from "@/client/types.gen";
import { Button } from "@/components/ui/button";
import { useRenameSession } from "./mutations";

/** The name, as an input in its place: Enter saves, Escape leaves it as it was. */
export function RenameDevice({ session, onDone }: { session: Session; onDone: () => void }) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const rename = useRenameSession();

  useEffect(() => input.current?.select(), []);

  const save = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = input.current?.value ?? "";
    if (name.trim() !== session.name) rename.mutate({ session, name });
    onDone();
  };
  const leave = (event: KeyboardEvent) => {
    if (event.key === "Escape") onDone();
  };

  return (
    <form onSubmit={save} onKeyDown={leave} className="flex flex-wrap items-center gap-2 pb-1">
      <label htmlFor={id} className="sr-only">
        Name of this device; blank for {session.device.browser ?? "its own"}
      </label>
      <input
        ref={input}
        id={id}
        defaultValue={session.name}
        maxLength={100}
        autoComplete="off"
        className="min-h-9 w-56 max-w-full rounded-lg border border-control bg-surface px-3 text-base"
      />
      <Button type="submit" variant="primary" size="small">
        Save
      </Button>
      <Button size="small" onClick={onDone}>
        Cancel
      </Button>
    </form>
  );
}
