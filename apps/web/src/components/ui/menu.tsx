import { Menu as BaseMenu } from "@base-ui/react/menu";
import { createLink } from "@tanstack/react-router";
import { clsx } from "clsx";
import { Check } from "lucide-react";
import {
  type ComponentProps,
  createContext,
  type ReactElement,
  type ReactNode,
  type RefObject,
  use,
  useRef,
} from "react";

const ITEM =
  "flex min-h-10 w-full cursor-pointer items-center gap-3 rounded-lg px-3 text-left text-sm font-medium -outline-offset-2 data-highlighted:bg-sunken";

const TriggerContext = createContext<RefObject<HTMLButtonElement | null>>({ current: null });

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
  return (
    <BaseMenu.Root modal={false} defaultOpen={defaultOpen}>
      <BaseMenu.Trigger ref={button} render={trigger} />
      <BaseMenu.Portal>
        <BaseMenu.Positioner align={align} sideOffset={6} collisionPadding={16} className="z-40">
          <BaseMenu.Popup
            className={clsx(
              "card max-h-(--available-height) max-w-(--available-width) overflow-y-auto p-2 text-ink shadow-float outline-none",
              className,
            )}
          >
            <TriggerContext value={button}>{children}</TriggerContext>
          </BaseMenu.Popup>
        </BaseMenu.Positioner>
      </BaseMenu.Portal>
    </BaseMenu.Root>
  );
}

interface MenuItemProps {
  onSelect: () => void;
  /** For an action that deletes something. */
  danger?: boolean;
  className?: string;
  children: ReactNode;
}

export function MenuItem({ onSelect, danger, className, children }: MenuItemProps) {
  const button = use(TriggerContext);
  const handleClick = () => {
    // A dialog that opens now returns the focus to what has it, and the item is about to be removed.
    button.current?.focus();
    onSelect();
  };
  return (
    <BaseMenu.Item onClick={handleClick} className={clsx(ITEM, danger && "text-danger", className)}>
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

/** A choice of one; the menu stays open. */
export function MenuRadioGroup<Value extends string>({
  label,
  value,
  onChange,
  options,
  className,
}: MenuRadioGroupProps<Value>) {
  return (
    <BaseMenu.RadioGroup aria-label={label} value={value} onValueChange={onChange} className={className}>
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
