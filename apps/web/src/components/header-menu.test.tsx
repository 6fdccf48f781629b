import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { lazy } from "react";
import { describe, expect, it } from "vitest";
import "@/testing/dom";
import { MailButton } from "./header-buttons";
import { HeaderMenu, type HeaderMenuProps } from "./header-menu";
import { Menu, MenuItem } from "./ui/menu";

const button = () => screen.getByRole("button", { name: "Mail" });

function Loaded({ defaultOpen, autoFocus }: HeaderMenuProps) {
  return (
    <Menu defaultOpen={defaultOpen} trigger={<MailButton autoFocus={autoFocus} />}>
      <MenuItem onSelect={() => {}}>Templates</MenuItem>
    </Menu>
  );
}

/** Shows the button of a menu whose code has not arrived; returns a function that lets it arrive. */
function showButton() {
  let arrive = () => {};
  const code = new Promise<{ default: typeof Loaded }>((resolve) => {
    arrive = () => resolve({ default: Loaded });
  });
  render(<HeaderMenu Button={MailButton} Menu={lazy(() => code)} />);
  const before = button();
  return async () => {
    await act(async () => arrive());
    await waitFor(() => expect(button()).not.toBe(before));
  };
}

describe("a menu whose code loads after the page", () => {
  it("is closed and has no focus when its button was not used before", async () => {
    const arrive = showButton();
    await arrive();
    expect(button().getAttribute("aria-expanded")).toBe("false");
    expect(document.activeElement).toBe(document.body);
  });

  it("opens as soon as it is there when its button was pressed before, and Escape returns the focus", async () => {
    const arrive = showButton();
    button().focus();
    fireEvent.click(button());
    await arrive();
    const item = await screen.findByRole("menuitem", { name: "Templates" });
    await waitFor(() => expect(item.closest("[role=menu]")?.contains(document.activeElement)).toBe(true));
    fireEvent.keyDown(document.activeElement as Element, { key: "Escape" });
    await waitFor(() => expect(screen.queryByRole("menu")).toBeNull());
    expect(document.activeElement).toBe(button());
  });

  it("opens for a press that is still going on when it arrives", async () => {
    const arrive = showButton();
    fireEvent.mouseDown(button());
    await arrive();
    expect(await screen.findByRole("menuitem", { name: "Templates" })).toBeDefined();
  });

  it("keeps the focus when its button had it", async () => {
    const arrive = showButton();
    button().focus();
    await arrive();
    expect(document.activeElement).toBe(button());
    expect(button().getAttribute("aria-expanded")).toBe("false");
  });

  it("takes no focus when its button had it and lost it", async () => {
    const arrive = showButton();
    button().focus();
    button().blur();
    await arrive();
    expect(document.activeElement).toBe(document.body);
  });
});
