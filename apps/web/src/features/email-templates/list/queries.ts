import { listTemplatesOptions } from "@/client/@tanstack/react-query.gen";

/** Every template, with how far its words are in a language. */
export const templates = (locale: string) => listTemplatesOptions({ query: { locale } });
