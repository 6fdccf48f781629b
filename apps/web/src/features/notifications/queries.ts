import { listNotificationsOptions } from "@/client/@tanstack/react-query.gen";

/** The notifications that the user can receive, and which are on. */
export const notifications = () => listNotificationsOptions();
