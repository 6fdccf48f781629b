import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import "@/testing/dom";
import { Menu, MenuItem, MenuRadioGroup, MenuSeparator } from "./menu";

const onRename = vi.fn();
const onChange = vi.fn();

afterEach(() => {
  onRename.mockReset();
  onChange.mockReset();
});

const button = () => screen.getByRole("button", { name: "More" });
const item = (name: string) => screen.getByRole("menuitem", { name });
const press = (key: string) => fireEvent.keyDown(document.activeElement as Element, { key });
const expectFocus = (element: () => HTMLElement) =>
  waitFor(() => expect(document.activeElement).toBe(element()));

/** Opens the menu with the keyboard, which moves the focus to its first item. */
async function openMenu() {
  render(
    <Menu trigger={<button type="button">More</button>}>
      <MenuItem onSelect={onRename}>Rename</MenuItem>
      <MenuItem onSelect={() => {}}>Download</MenuItem>
      <MenuSeparator />
      <MenuRadioGroup
        label="Size"
        value="small"
        onChange={onChange}
        options={[
          { value: "small", label: "Small", icon: null },
          { value: "large", label: "Large", icon: null },
        ]}
      />
      <MenuItem danger onSelect={() => {}}>
        Delete
      </MenuItem>
    </Menu>,
  );
  button().focus();
  press("ArrowDown");
  await expectFocus(() => item("Rename"));
}

describe("a menu", () => {
  it("opens on an arrow key, with the focus on its first item, and is named by its button", async () => {
    await openMenu();
    expect(button().getAttribute("aria-expanded")).toBe("true");
    expect(screen.getByRole("menu", { name: "More" })).toBeDefined();
  });

  it("moves through its items with arrow keys, from the last to the first too", async () => {
    await openMenu();
    press("ArrowDown");
    await expectFocus(() => item("Download"));
    press("ArrowUp");
    await expectFocus(() => item("Rename"));
    press("ArrowUp");
    await expectFocus(() => item("Delete"));
    press("ArrowDown");
    await expectFocus(() => item("Rename"));
  });

  it("moves to the last and the first item with End and Home", async () => {
    await openMenu();
    press("End");
    await expectFocus(() => item("Delete"));
    press("Home");
    await expectFocus(() => item("Rename"));
  });

  it("moves to an item by its first letter", async () => {
    await openMenu();
    press("l");
    await expectFocus(() => screen.getByRole("menuitemradio", { name: "Large" }));
  });

  it("closes on Escape and returns the focus to its button", async () => {
    await openMenu();
    press("Escape");
    await waitFor(() => expect(screen.queryByRole("menu")).toBeNull());
    await expectFocus(button);
    expect(onRename).not.toHaveBeenCalled();
  });

  it("has its button focused before an item acts, so that a dialog returns the focus there", async () => {
    await openMenu();
    onRename.mockImplementation(() => expect(document.activeElement).toBe(button()));
    fireEvent.click(item("Rename"));
    await waitFor(() => expect(screen.queryByRole("menu")).toBeNull());
    await waitFor(() => expect(onRename).toHaveReturnedTimes(1));
    expect(document.activeElement).toBe(button());
  });

  it("stays open while one of a group is chosen", async () => {
    await openMenu();
    expect(screen.getByRole("menuitemradio", { name: "Small" }).getAttribute("aria-checked")).toBe("true");
    fireEvent.click(screen.getByRole("menuitemradio", { name: "Large" }));
    expect(onChange.mock.calls[0]?.[0]).toBe("large");
    expect(screen.getByRole("menu")).toBeDefined();
  });
});
