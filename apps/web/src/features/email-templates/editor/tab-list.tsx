import { type KeyboardEvent, type ReactNode, useRef } from "react";

export interface TabEntry<Name extends string> {
  name: Name;
  label: string;
  /** How many problems are behind it. */
  problems?: { errors: number; warnings: number };
}

interface TabListProps<Name extends string> {
  /** The tab's id is this, a dash and its name; so is its panel's, with another dash and "panel". */
  id: string;
  label: string;
  tabs: TabEntry<Name>[];
  shown: Name;
  onShow: (name: Name) => void;
}

/** The tabs of views that may stay mounted: arrow keys, Home and End go between them. */
export function TabList<Name extends string>({ id, label, tabs, shown, onShow }: TabListProps<Name>) {
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const at = tabs.findIndex(({ name }) => name === shown);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
    const next = to === undefined ? undefined : tabs.at(to % tabs.length);
    if (!next) return;
    event.preventDefault();
    onShow(next.name);
    list.current?.querySelector<HTMLElement>(`#${CSS.escape(`${id}-${next.name}`)}`)?.focus();
  };
  return (
    <div
      ref={list}
      role="tablist"
      aria-label={label}
      onKeyDown={move}
      className="flex gap-1 overflow-x-auto border-b border-line px-2 [scrollbar-width:thin]"
    >
      {tabs.map((tab) => (
        <button
          key={tab.name}
          type="button"
          role="tab"
          id={`${id}-${tab.name}`}
          aria-selected={tab.name === shown}
          aria-controls={`${id}-${tab.name}-panel`}
          tabIndex={tab.name === shown ? 0 : -1}
          onClick={() => onShow(tab.name)}
          className="-mb-px inline-flex min-h-11 shrink-0 items-center gap-2 border-b-2 border-transparent px-3 text-sm font-medium text-muted -outline-offset-2 hover:text-ink aria-selected:border-brand aria-selected:text-brand"
        >
          {tab.label}
          <Count {...tab.problems} />
        </button>
      ))}
    </div>
  );
}

function Count({ errors = 0, warnings = 0 }: { errors?: number; warnings?: number }) {
  if (errors + warnings === 0) return null;
  const colours = errors > 0 ? "bg-danger-soft text-danger" : "bg-notice-soft text-notice";
  return (
    <span className={`rounded-full px-1.5 text-xs/5 font-semibold tabular-nums ${colours}`}>
      {errors + warnings}
      <span className="sr-only">{errors + warnings === 1 ? " problem" : " problems"}</span>
    </span>
  );
}

interface TabPanelProps {
  id: string;
  name: string;
  hidden?: boolean;
  className?: string;
  children: ReactNode;
}

/** What a tab shows. */
export function TabPanel({ id, name, hidden, className, children }: TabPanelProps) {
  return (
    <div
      role="tabpanel"
      id={`${id}-${name}-panel`}
      aria-labelledby={`${id}-${name}`}
      hidden={hidden}
      className={`min-w-0 ${className ?? ""}`}
    >
      {children}
    </div>
  );
}
