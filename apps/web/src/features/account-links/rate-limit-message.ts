import { ApiError, getErrorMessage } from "@/lib/errors";

/** Says what went wrong; where it was asked for too often, `many` and how long to wait. */
export function sentenceOf(error: unknown, many: string): string {
  if (!(error instanceof ApiError) || error.status !== 429) return getErrorMessage(error);
  const minutes = Math.ceil((error.retryAfter ?? 60) / 60);
  const wait = minutes === 1 ? "a minute" : `${minutes} minutes`;
  return `${many} Wait ${wait}, then try again.`;
}
