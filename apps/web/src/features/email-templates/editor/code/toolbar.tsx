import type { EditorView } from "@codemirror/view";
import { Bold, Braces, Image, Italic, Link, List, RectangleEllipsis } from "lucide-react";
import { type KeyboardEvent, type Ref, useRef, useState } from "react";
import type { TemplateVariable } from "@/client/types.gen";
import { type Format, insertion, toggle } from "./formats";
import { FORMAT_KEYS } from "./setup";
import { VariableMenu } from "./variable-menu";

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
  /** The formats that the selection stands in. */
  formats: Format[];
  variables: TemplateVariable[];
}

/** Formats the selection; one stop for Tab, arrow keys, Home and End go between its buttons. */
export function Toolbar({ ref, view, formats, variables }: ToolbarProps) {
  const [stop, setStop] = useState(0);
  const [open, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const last = FORMATS.length;

  const move = (event: KeyboardEvent<HTMLElement>) => {
    const to = { ArrowLeft: stop + last, ArrowRight: stop + 1, Home: 0, End: last }[event.key];
    if (to === undefined || !(event.target as HTMLElement).matches("[data-item]")) return;
    event.preventDefault();
    event.currentTarget.querySelectorAll<HTMLElement>("[data-item]")[to % (last + 1)]?.focus();
  };
  const close = (back: boolean) => {
    setOpen(false);
    if (back) opener.current?.focus();
  };
  const insert = (text: string) => {
    setOpen(false);
    view?.dispatch(insertion(view.state, text));
    view?.focus();
  };

  return (
    <div
      ref={ref}
      role="toolbar"
      aria-label="Formatting"
      onKeyDown={move}
      className="sticky top-0 z-10 mb-1.5 flex flex-wrap gap-0.5 rounded-lg border border-line bg-sunken p-1"
    >
      {FORMATS.map(({ format, label, Icon }, index) => (
        <button
          key={format}
          type="button"
          data-item
          tabIndex={stop === index ? 0 : -1}
          aria-label={label}
          aria-pressed={formats.includes(format)}
          title={titled(label, FORMAT_KEYS[format as keyof typeof FORMAT_KEYS])}
          onFocus={() => setStop(index)}
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
      <button
        ref={opener}
        type="button"
        data-item
        tabIndex={stop === last ? 0 : -1}
        aria-haspopup="menu"
        aria-expanded={open}
        onFocus={() => setStop(last)}
        onMouseDown={(event) => event.preventDefault()}
        onClick={() => setOpen(!open)}
        className={`${ITEM} ml-auto`}
      >
        <Braces size={16} aria-hidden />
        Insert variable
      </button>
      {open ? <VariableMenu variables={variables} opener={opener} onInsert={insert} onClose={close} /> : null}
    </div>
  );
}

function titled(label: string, key: string | undefined): string {
  if (!key) return label;
  const apple = /Mac|iP(?:hone|ad)/.test(navigator.platform);
  return `${label} (${key.toUpperCase().replace("MOD-", apple ? "⌘" : "Ctrl+")})`;
}
