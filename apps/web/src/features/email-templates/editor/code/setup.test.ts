import { history, undo } from "@codemirror/commands";
import { EditorState, type TransactionSpec } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import { baseExtensions, replaceText, textOf } from "./setup";

const single = () =>
  EditorState.create({
    doc: "Hello",
    selection: { anchor: 5 },
    extensions: baseExtensions({ language: "text", singleLine: true, formats: false, onSave: () => {} }),
  });

describe("a single-line editor", () => {
  it.each([
    [" a\nb", "Helloa b"],
    ["\n", "Hello"],
    [", you\n\n  there\n", "Hello, you there"],
  ])("joins the lines of %o", (pasted, text) => {
    const { state } = single().update(single().replaceSelection(pasted));
    expect(textOf(state)).toBe(text);
    expect(state.selection.main.head).toBe(text.length);
  });
});

describe("replaceText", () => {
  const before = EditorState.create({
    doc: "one two three",
    selection: { anchor: 11 },
    extensions: history(),
  });
  const typed = before.update({ changes: { from: 0, insert: "zero " }, userEvent: "input.type" }).state;

  it("changes only what differs, so that the cursor stays", () => {
    const { state, changes } = replaceText(typed, "zero one 2 three");
    expect(textOf(state)).toBe("zero one 2 three");
    expect(state.sliceDoc(state.selection.main.head)).toBe("ee");
    expect(changes.toJSON()).toEqual([9, [3, "2"], 6]);
  });

  it("is a separate step for undo", () => {
    let { state } = replaceText(typed, "zero one 2 three");
    const dispatch = (tr: TransactionSpec & { state: EditorState }) => {
      state = tr.state;
    };
    undo({ state, dispatch });
    expect(textOf(state)).toBe("zero one two three");
    undo({ state, dispatch });
    expect(textOf(state)).toBe("one two three");
  });

  it.each([
    ["aaa", "aa"],
    ["aa", "aaa"],
    ["", "a"],
    ["a", ""],
    ["abc", "xyz"],
  ])("turns %o into %o", (from, to) => {
    expect(textOf(replaceText(EditorState.create({ doc: from }), to).state)).toBe(to);
  });
});
