import { createContext, use } from "react";
import { ApiError } from "@/lib/errors";

/** Asks the user for their password. Resolves when it was right, rejects with `Canceled` when they cancel. */
export type AskPassword = () => Promise<void>;

export const StepUpContext = createContext<AskPassword>(() =>
  Promise.reject(new Error("There is no StepUp around this component.")),
);

/**
 * Returns a function that runs an action which may need a recent password: when the service requires it, the user is asked for
 * it and the action runs again.
 */
export function useStepUp(): <T>(action: () => Promise<T>) => Promise<T> {
  const ask = use(StepUpContext);
  return async (action) => {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "reauthentication_required") throw error;
      await ask();
      return action();
    }
  };
}
