// Stands for `@codemirror/lang-javascript` in the build: the HTML language brings its parser along, a sixth of the
// editor's weight, and mail runs no scripts.
import { LanguageSupport, StreamLanguage } from "@codemirror/language";

const unread = StreamLanguage.define({
  token(stream) {
    stream.skipToEnd();
    return null;
  },
});
// The HTML language asks for a variant of it, for attributes like onclick.
Object.assign(unread.parser, { configure: () => unread.parser });

export function javascript(): LanguageSupport {
  return new LanguageSupport(unread);
}

export {
  unread as javascriptLanguage,
  unread as jsxLanguage,
  unread as tsxLanguage,
  unread as typescriptLanguage,
};
