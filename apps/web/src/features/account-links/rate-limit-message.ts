import { ApiError, getErrorMessage } from "@/lib/errors";

/** Returns the message of an error. For a rate limit, it is `message` and how long to wait. */
export function rateLimitMessage(error: unknown, message: string): string {
  if (!(error instanceof ApiError) || error.status !== 429) return getErrorMessage(error);
  const minutes = Math.ceil((error.retryAfter ?? 60) / 60);
  const wait = minutes === 1 ? "1 minute" : `${minutes} minutes`;
  return `${message} Wait ${wait}, then try again.`;
}
