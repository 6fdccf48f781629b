import { useEffect, useState } from "react";
import type { CodeEditorHandle } from "./code/code-editor";
import type { Part } from "./draft/content";
import type { Handles } from "./part-editors";

interface Wish {
  part: Part;
  act: (editor: CodeEditorHandle) => void;
}

/**
 * Returns a way to do something in the editor of a part, which need not be the one that is shown: `show` brings it
 * there first. `shown` is the part that can be seen, or null.
 */
export function useEditorWishes(handles: Handles, shown: Part | null, show: (part: Part) => void) {
  const [wish, setWish] = useState<Wish | null>(null);
  useEffect(() => {
    const editor = wish && wish.part === shown ? handles[wish.part].current : null;
    if (!wish || !editor) return;
    setWish(null);
    wish.act(editor);
  }, [handles, wish, shown]);
  return (part: Part, act: Wish["act"]) => {
    setWish({ part, act });
    if (part !== shown) show(part);
  };
}
