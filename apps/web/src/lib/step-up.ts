import { createContext, use } from "react";
import { ApiError } from "@/lib/errors";

/** Asks the person for their password; resolves when it was right, rejects with `Cancelled` when they turn away. */
export type AskPassword = () => Promise<void>;

export const StepUpContext = createContext<AskPassword>(() => Promise.reject(new Error("no StepUp above")));

/** Returns a way to run what may need a recent password: it is asked for when the service wants it, then run again. */
export function useStepUp(): <T>(act: () => Promise<T>) => Promise<T> {
  const ask = use(StepUpContext);
  return async (act) => {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "reauthentication_required") throw error;
      await ask();
      return act();
    }
  };
}
