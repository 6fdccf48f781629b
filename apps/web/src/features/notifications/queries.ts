import { listNoticesOptions } from "@/client/@tanstack/react-query.gen";

/** The kinds of mail that one may get, and whether one does. */
export const notices = () => listNoticesOptions();
