import { type KeyboardEvent, type SubmitEvent, useEffect, useId, useRef } from "react";
import type { Session } from "@/client/types.gen";
import { Button } from "@/components/ui/button";
import { useRenameSession } from "./mutations";

/** The name of a device as an input. Enter saves it, Escape cancels. */
export function RenameDevice({ session, onDone }: { session: Session; onDone: () => void }) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const rename = useRenameSession();

  useEffect(() => input.current?.select(), []);

  const handleSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = input.current?.value ?? "";
    if (name.trim() !== session.name) rename.mutate({ session, name });
    onDone();
  };
  const handleKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") onDone();
  };

  return (
    <form
      onSubmit={handleSubmit}
      onKeyDown={handleKeyDown}
      className="flex flex-wrap items-center gap-2 pb-1"
    >
      <label htmlFor={id} className="sr-only">
        Device name. Leave empty to use the name of the browser.
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
        Save name
      </Button>
      <Button size="small" onClick={onDone}>
        Cancel
      </Button>
    </form>
  );
}
