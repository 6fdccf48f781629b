import type { FocusEvent, KeyboardEvent, RefObject } from "react";
import type { TemplateVariable } from "@/client/types.gen";

interface VariableMenuProps {
  variables: TemplateVariable[];
  opener: RefObject<HTMLElement | null>;
  onInsert(text: string): void;
  onClose(back: boolean): void;
}

/** The menu of what can be inserted: arrow keys, Home, End and first letters go through it, Escape goes back. */
export function VariableMenu({ variables, opener, onInsert, onClose }: VariableMenuProps) {
  const move = (event: KeyboardEvent<HTMLElement>) => {
    event.stopPropagation();
    if (event.key === "Escape") return onClose(true);
    if (event.key === "Tab") return onClose(false);
    const items = [...event.currentTarget.querySelectorAll<HTMLElement>("[role=menuitem]")];
    const next = target(items, items.indexOf(event.target as HTMLElement), event);
    if (!next) return;
    event.preventDefault();
    next.focus();
  };
  const leave = (event: FocusEvent<HTMLElement>) => {
    const to = event.relatedTarget;
    if (to !== opener.current && !event.currentTarget.contains(to)) onClose(false);
  };
  return (
    <div
      ref={focusFirst}
      role="menu"
      aria-label="Insert variable"
      tabIndex={-1}
      onKeyDown={move}
      onBlur={leave}
      className="absolute top-full right-0 z-20 mt-1 max-h-80 w-80 max-w-full overflow-y-auto rounded-lg border border-line bg-surface p-1 shadow-float"
    >
      {variables.map((variable) => (
        <button
          key={variable.name}
          type="button"
          role="menuitem"
          tabIndex={-1}
          onClick={() => onInsert(written(variable))}
          className="grid w-full gap-0.5 rounded-md px-2.5 py-2 text-left text-sm hover:bg-brand-soft focus:bg-brand-soft"
        >
          <span className="flex items-baseline justify-between gap-3">
            <span className="font-mono break-all">{variable.name}</span>
            <span className="text-xs text-muted">{variable.type ?? "string"}</span>
          </span>
          {variable.description ? <span className="text-xs text-muted">{variable.description}</span> : null}
        </button>
      ))}
    </div>
  );
}

function focusFirst(menu: HTMLElement | null): void {
  menu?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
}

function target(items: HTMLElement[], at: number, { key }: KeyboardEvent): HTMLElement | undefined {
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[key];
  if (to !== undefined) return items.at(to % items.length);
  if (key.length !== 1) return undefined;
  const after = [...items.slice(at + 1), ...items.slice(0, at + 1)];
  return after.find((item) => item.textContent?.toLowerCase().startsWith(key.toLowerCase()));
}

/** A list is gone through, anything else is printed. */
function written({ name, type }: TemplateVariable): string {
  return type === "list" ? `{% for item in ${name} %}{{ item }}{% endfor %}` : `{{ ${name} }}`;
}
