import type { ComponentProps } from "react";
import { Field } from "@/components/ui/field";

export const LOCALE_ERROR = "Enter a language code such as en, de or fr-CA.";

/** An input for a language code. `LOCALE` in `lib/search-params` is the pattern. */
export function LocaleField(props: Omit<ComponentProps<typeof Field>, "label">) {
  return (
    <Field
      label="Language code"
      maxLength={8}
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      {...props}
    />
  );
}
