import { listSessionsOptions } from "@/client/@tanstack/react-query.gen";

/** The devices where the user is signed in. */
export const activeSessions = () => listSessionsOptions();

/** The same, followed by the devices that were signed out. */
export const endedSessions = () => listSessionsOptions({ query: { include: "ended", limit: 100 } });
