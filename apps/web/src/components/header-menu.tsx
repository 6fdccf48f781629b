import { type ComponentProps, type ComponentType, Suspense, useState } from "react";

export interface HeaderMenuProps {
  defaultOpen: boolean;
  autoFocus: boolean;
}

interface Props {
  Button: ComponentType<ComponentProps<"button">>;
  /** The lazy component of the menu. */
  Menu: ComponentType<HeaderMenuProps>;
}

/** A menu whose code loads after the page. Until then there is its button, and what it is used for carries over. */
export function HeaderMenu({ Button, Menu }: Props) {
  const [used, setUsed] = useState<"pressed" | "focused">();
  return (
    <Suspense
      fallback={
        <Button
          onFocus={() => setUsed((before) => before ?? "focused")}
          onBlur={() => setUsed(undefined)}
          // Like the menu itself, which opens before the mouse button is released.
          onMouseDown={() => setUsed("pressed")}
          onClick={() => setUsed("pressed")}
        />
      }
    >
      <Menu defaultOpen={used === "pressed"} autoFocus={used !== undefined} />
    </Suspense>
  );
}
