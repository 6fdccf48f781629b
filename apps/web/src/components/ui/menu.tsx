import { Menu as BaseMenu } from "@base-ui/react/menu";
import { createLink } from "@tanstack/react-router";
import { clsx } from "clsx";
import { Check } from "lucide-react";
import {
  type ComponentProps,
  createContext,
  type ReactElement,
  type ReactNode,
  use,
  useCallback,
  useId,
  useRef,
} from "react";

const ITEM =
  "flex min-h-10 w-full cursor-pointer items-center gap-3 rounded-lg px-3 text-left text-sm font-medium -outline-offset-2 data-highlighted:bg-sunken";

/** Runs an action once the menu is closed. */
const AfterCloseContext = createContext<(action: () => void) => void>(() => {});

interface MenuProps {
  /** The button that opens the menu; it also names the menu. */
  trigger: ReactElement;
  /** The edge of the button that the menu is aligned with. */
  align?: "start" | "end";
  defaultOpen?: boolean;
  /** The width, for a menu whose items are wider or narrower than usual. */
  className?: string;
  children: ReactNode;
}

/** A menu behind a button. Arrow keys, Home, End and first letters move through it; Escape closes it and focuses the button. */
export function Menu({ trigger, align = "end", defaultOpen, className = "w-64", children }: MenuProps) {
  const button = useRef<HTMLButtonElement>(null);
  const afterClose = useRef<() => void>(undefined);
  const runAfterClose = useCallback((action: () => void) => {
    afterClose.current = action;
  }, []);
  const handleOpenChangeComplete = (open: boolean) => {
    const action = afterClose.current;
    if (open || !action) return;
    afterClose.current = undefined;
    // A dialog that opens now returns the focus to the button when it closes.
    button.current?.focus();
    action();
  };
  return (
    <BaseMenu.Root modal={false} defaultOpen={defaultOpen} onOpenChangeComplete={handleOpenChangeComplete}>
      <BaseMenu.Trigger ref={button} render={trigger} />
      <BaseMenu.Portal>
        <BaseMenu.Positioner align={align} sideOffset={6} collisionPadding={16} className="z-40">
          <BaseMenu.Popup
            className={clsx(
              "card max-h-(--available-height) max-w-(--available-width) overflow-y-auto p-2 text-ink shadow-float outline-none",
              className,
            )}
          >
            <AfterCloseContext value={runAfterClose}>{children}</AfterCloseContext>
          </BaseMenu.Popup>
        </BaseMenu.Positioner>
      </BaseMenu.Portal>
    </BaseMenu.Root>
  );
}

interface MenuItemProps {
  /** Called once the menu is closed and its button has the focus. */
  onSelect: () => void;
  /** For an action that deletes something. */
  danger?: boolean;
  className?: string;
  children: ReactNode;
}

export function MenuItem({ onSelect, danger, className, children }: MenuItemProps) {
  const runAfterClose = use(AfterCloseContext);
  return (
    <BaseMenu.Item
      onClick={() => runAfterClose(onSelect)}
      className={clsx(ITEM, danger && "text-danger", className)}
    >
      {children}
    </BaseMenu.Item>
  );
}

/** A link to one of our pages, typed like the router's `Link`. */
export const MenuLink = createLink((props: ComponentProps<"a">) => (
  <BaseMenu.LinkItem
    closeOnClick
    {...props}
    className={clsx(
      ITEM,
      "aria-[current=page]:bg-brand-soft aria-[current=page]:text-brand",
      props.className,
    )}
  />
));

interface MenuRadioGroupProps<Value extends string> {
  label: string;
  value: Value;
  onChange: (value: Value) => void;
  options: { value: Value; label: string; icon: ReactNode }[];
  className?: string;
}

/** A choice of one. The menu stays open when it changes. */
export function MenuRadioGroup<Value extends string>({
  label,
  value,
  onChange,
  options,
  className,
}: MenuRadioGroupProps<Value>) {
  const id = useId();
  return (
    <BaseMenu.RadioGroup aria-labelledby={id} value={value} onValueChange={onChange} className={className}>
      <div id={id} className="px-3 pt-2 pb-1 text-sm text-muted">
        {label}
      </div>
      {options.map((option) => (
        <BaseMenu.RadioItem key={option.value} value={option.value} className={ITEM}>
          {option.icon}
          <span className="grow">{option.label}</span>
          <BaseMenu.RadioItemIndicator>
            <Check size={16} aria-hidden />
          </BaseMenu.RadioItemIndicator>
        </BaseMenu.RadioItem>
      ))}
    </BaseMenu.RadioGroup>
  );
}

export function MenuSeparator({ className }: { className?: string }) {
  return <BaseMenu.Separator className={clsx("my-1 h-px bg-line", className)} />;
}
