import { Tabs as BaseTabs } from "@base-ui/react/tabs";
import { clsx } from "clsx";
import { type ReactNode, useState } from "react";

export interface Tab {
  name: string;
  content: ReactNode;
}

/** Views of one thing, of which one is shown. They share one panel: what two views have in common stays mounted. */
export function Tabs({ label, tabs }: { label: string; tabs: Tab[] }) {
  const [shown, setShown] = useState(tabs[0]?.name ?? "");
  return (
    <TabGroup value={shown} onChange={setShown} className="grid grid-cols-1 gap-4">
      <TabList label={label} className="flex-wrap">
        {tabs.map(({ name }) => (
          <TabButton key={name} name={name}>
            {name}
          </TabButton>
        ))}
      </TabList>
      <TabPanel name={shown}>{tabs.find(({ name }) => name === shown)?.content}</TabPanel>
    </TabGroup>
  );
}

interface TabGroupProps<Name extends string> {
  /** The name of the tab that is shown. */
  value: Name;
  onChange: (name: Name) => void;
  className?: string;
  children: ReactNode;
}

/** The parts of `Tabs`, for another layout: somewhere inside are a `TabList` and the panel of each tab. */
export function TabGroup<Name extends string>({ value, onChange, className, children }: TabGroupProps<Name>) {
  return (
    <BaseTabs.Root value={value} onValueChange={onChange} className={className}>
      {children}
    </BaseTabs.Root>
  );
}

interface TabListProps {
  label: string;
  className?: string;
  children: ReactNode;
}

/** The row of tabs. Arrow keys, Home and End show another tab; the Tab key moves into the panel. */
export function TabList({ label, className, children }: TabListProps) {
  return (
    <BaseTabs.List
      activateOnFocus
      aria-label={label}
      className={clsx("flex gap-x-1 border-b border-line", className)}
    >
      {children}
    </BaseTabs.List>
  );
}

export function TabButton({ name, children }: { name: string; children: ReactNode }) {
  return (
    <BaseTabs.Tab
      value={name}
      className="-mb-px inline-flex min-h-10 shrink-0 items-center gap-2 border-b-2 border-transparent px-3 text-sm font-medium whitespace-nowrap text-muted -outline-offset-2 hover:text-ink aria-selected:border-brand aria-selected:text-brand"
    >
      {children}
    </BaseTabs.Tab>
  );
}

interface TabPanelProps {
  /** The name of the tab that shows it. */
  name: string;
  /** Hides the panel while another tab is shown instead of unmounting it, so that it keeps its state. */
  keepMounted?: boolean;
  className?: string;
  children: ReactNode;
}

export function TabPanel({ name, keepMounted, className, children }: TabPanelProps) {
  return (
    <BaseTabs.Panel value={name} keepMounted={keepMounted} className={clsx("min-w-0", className)}>
      {children}
    </BaseTabs.Panel>
  );
}
