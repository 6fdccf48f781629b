import { listSessionsOptions } from "@/client/@tanstack/react-query.gen";

/** The devices one is signed in on. */
export const activeSessions = () => listSessionsOptions();

/** The same and, behind them, those where it ended. */
export const endedSessions = () => listSessionsOptions({ query: { include: "ended", limit: 100 } });
