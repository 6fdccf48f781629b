import type { EditorView } from "@codemirror/view";
import { Bold, Braces, Image, Italic, Link, List, RectangleEllipsis } from "lucide-react";
import { type KeyboardEvent, type Ref, useState } from "react";
import type { TemplateVariable } from "@/client/types.gen";
import { Menu, MenuItem } from "@/components/ui/menu";
import { type Format, insertion, toggle } from "./formats";
import { FORMAT_KEYS } from "./setup";

const FORMATS: { format: Format; label: string; Icon: typeof Bold }[] = [
  { format: "bold", label: "Bold", Icon: Bold },
  { format: "italic", label: "Italic", Icon: Italic },
  { format: "link", label: "Link", Icon: Link },
  { format: "image", label: "Image", Icon: Image },
  { format: "button", label: "Button", Icon: RectangleEllipsis },
  { format: "list", label: "List", Icon: List },
];
const ITEM =
  "inline-flex min-h-9 min-w-9 items-center justify-center gap-1.5 rounded-md px-2 text-sm hover:bg-brand-soft aria-pressed:bg-brand-soft aria-pressed:text-brand aria-pressed:outline-1 aria-pressed:-outline-offset-1 aria-pressed:outline-brand focus-visible:outline-2";

interface ToolbarProps {
  ref: Ref<HTMLDivElement>;
  view: EditorView | null;
  /** The formats of the selection. */
  formats: Format[];
  variables: TemplateVariable[];
}

/** Formats the selection and inserts variables. One tab stop; arrow keys, Home and End move between its buttons. */
export function Toolbar({ ref, view, formats, variables }: ToolbarProps) {
  const [tabStop, setTabStop] = useState(0);
  const last = FORMATS.length;

  const handleKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const to = { ArrowLeft: tabStop + last, ArrowRight: tabStop + 1, Home: 0, End: last }[event.key];
    if (to === undefined || !(event.target as HTMLElement).matches("[data-item]")) return;
    event.preventDefault();
    event.currentTarget.querySelectorAll<HTMLElement>("[data-item]")[to % (last + 1)]?.focus();
  };
  const handleInsert = (text: string) => {
    view?.dispatch(insertion(view.state, text));
    view?.focus();
  };
  const item = (index: number) => ({
    type: "button" as const,
    "data-item": true,
    tabIndex: tabStop === index ? 0 : -1,
    onFocus: () => setTabStop(index),
  });

  return (
    <div
      ref={ref}
      role="toolbar"
      aria-label="Formatting"
      onKeyDown={handleKeyDown}
      className="sticky top-0 z-10 mb-1.5 flex flex-wrap gap-0.5 rounded-lg border border-line bg-sunken p-1"
    >
      {FORMATS.map(({ format, label, Icon }, index) => (
        <button
          key={format}
          {...item(index)}
          aria-label={label}
          aria-pressed={formats.includes(format)}
          title={withShortcut(label, FORMAT_KEYS[format as keyof typeof FORMAT_KEYS])}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => {
            if (!view) return;
            toggle(format)(view);
            view.focus();
          }}
          className={ITEM}
        >
          <Icon size={16} aria-hidden />
        </button>
      ))}
      <Menu
        className="w-80"
        trigger={
          <button {...item(last)} className={`${ITEM} ml-auto`}>
            <Braces size={16} aria-hidden />
            Insert variable
          </button>
        }
      >
        {variables.map((variable) => (
          <MenuItem key={variable.name} onSelect={() => handleInsert(toTag(variable))}>
            <span className="grid w-full gap-0.5 py-2 font-normal">
              <span className="flex items-baseline justify-between gap-3">
                <span className="font-mono break-all">{variable.name}</span>
                <span className="text-xs text-muted">{variable.type ?? "string"}</span>
              </span>
              {variable.description ? (
                <span className="text-xs text-muted">{variable.description}</span>
              ) : null}
            </span>
          </MenuItem>
        ))}
      </Menu>
    </div>
  );
}

function withShortcut(label: string, key: string | undefined): string {
  if (!key) return label;
  const isApple = /Mac|iP(?:hone|ad)/.test(navigator.platform);
  return `${label} (${key.toUpperCase().replace("MOD-", isApple ? "⌘" : "Ctrl+")})`;
}

/** The tag that outputs a variable, or loops over it if it is a list. */
function toTag({ name, type }: TemplateVariable): string {
  return type === "list" ? `{% for item in ${name} %}{{ item }}{% endfor %}` : `{{ ${name} }}`;
}
