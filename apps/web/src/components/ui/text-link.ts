/** The classes of a link in running text. */
export const TEXT_LINK = "font-medium text-brand underline underline-offset-4";
