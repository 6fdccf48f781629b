import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import "@/testing/dom";
import { Tabs } from "./tabs";

const tab = (name: string) => screen.getByRole("tab", { name });

async function pressAndExpect(key: string, name: string) {
  fireEvent.keyDown(document.activeElement as Element, { key });
  await waitFor(() => expect(document.activeElement).toBe(tab(name)));
  expect(tab(name).getAttribute("aria-selected")).toBe("true");
  expect(screen.getByRole("tabpanel", { name }).textContent).toBe(`The ${name}`);
  expect(screen.getAllByRole("tabpanel")).toHaveLength(1);
}

beforeEach(() => {
  const tabs = ["HTML", "Text", "Headers"].map((name) => ({ name, content: `The ${name}` }));
  render(<Tabs label="Views" tabs={tabs} />);
});

describe("tabs", () => {
  it("show the first view, and only its tab is in the tab order", () => {
    expect(screen.getByRole("tablist", { name: "Views" })).toBeDefined();
    expect(screen.getByRole("tabpanel", { name: "HTML" }).textContent).toBe("The HTML");
    expect(["HTML", "Text", "Headers"].map((name) => tab(name).tabIndex)).toEqual([0, -1, -1]);
  });

  it("show another view on a click", () => {
    fireEvent.click(tab("Headers"));
    expect(screen.getByRole("tabpanel", { name: "Headers" }).textContent).toBe("The Headers");
  });

  it("show the next and the previous view with arrow keys, from the last to the first too", async () => {
    tab("HTML").focus();
    await pressAndExpect("ArrowRight", "Text");
    await pressAndExpect("ArrowRight", "Headers");
    await pressAndExpect("ArrowRight", "HTML");
    await pressAndExpect("ArrowLeft", "Headers");
  });

  it("show the last and the first view with End and Home", async () => {
    tab("HTML").focus();
    await pressAndExpect("End", "Headers");
    await pressAndExpect("Home", "HTML");
  });
});
