/** How a link in running text looks. */
export const TEXT_LINK = "font-medium text-brand underline underline-offset-4";
