// Replaces `@codemirror/lang-javascript` in the build. The HTML language imports its parser, which is a sixth of the
// editor's size, and emails have no scripts.
import { LanguageSupport, StreamLanguage } from "@codemirror/language";

const plainText = StreamLanguage.define({
  token(stream) {
    stream.skipToEnd();
    return null;
  },
});
// The HTML language configures a variant of the parser for attributes such as onclick.
Object.assign(plainText.parser, { configure: () => plainText.parser });

export function javascript(): LanguageSupport {
  return new LanguageSupport(plainText);
}

export {
  plainText as javascriptLanguage,
  plainText as jsxLanguage,
  plainText as tsxLanguage,
  plainText as typescriptLanguage,
};
