import { html } from "@codemirror/lang-html";
import { closePercentBrace, jinja, jinjaLanguage } from "@codemirror/lang-jinja";
import { LanguageSupport, StreamLanguage } from "@codemirror/language";
import { EditorState, type Extension } from "@codemirror/state";
import { completeTemplate } from "./completions";

const plain = StreamLanguage.define({
  token(stream) {
    stream.skipToEnd();
    return null;
  },
});

/** Jinja in HTML or in plain text. Completions offer only what the template language allows. */
export function templateLanguage(language: "html" | "text"): Extension {
  const completion = EditorState.languageData.of(() => [{ autocomplete: completeTemplate }]);
  const braces = { closeBrackets: { brackets: ["{"] } };
  if (language === "text") {
    const { language: overText } = jinja({ base: new LanguageSupport(plain) });
    return [overText, plain.data.of(braces), closePercentBrace, completion];
  }
  const base = html();
  // Not `jinja()`, which adds completions for all of Jinja.
  return [jinjaLanguage, base.support, base.language.data.of(braces), closePercentBrace, completion];
}
