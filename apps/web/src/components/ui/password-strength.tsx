import { useDeferredValue, useEffect, useState } from "react";

type Score = (password: string, words: string[]) => number;

const LEVELS = [
  { label: "Very weak", color: "bg-danger" },
  { label: "Weak", color: "bg-danger" },
  { label: "Fair", color: "bg-notice" },
  { label: "Good", color: "bg-brand" },
  { label: "Strong", color: "bg-brand" },
];

/**
 * Shows how hard a password is to guess. It is a hint: the service decides what is allowed. It appears once something is typed
 * and the lists of common passwords are loaded; without them there is no hint.
 */
export function PasswordStrength({ password, words }: { password: string; words: string[] }) {
  const score = useScore(password !== "");
  const typed = useDeferredValue(password);
  if (!score || !typed) return null;
  const value = score(typed, words);
  const level = LEVELS[value] ?? LEVELS[0];
  return (
    <div className="grid gap-1.5">
      <div className="grid grid-cols-4 gap-1" aria-hidden>
        {[1, 2, 3, 4].map((step) => (
          <span
            key={step}
            className={`h-1 rounded-full ${step <= Math.max(value, 1) ? level?.color : "bg-line"}`}
          />
        ))}
      </div>
      <p className="text-sm text-muted" aria-live="polite">
        Password strength: <span className="font-medium text-ink">{level?.label}</span>
      </p>
    </div>
  );
}

/** Loads the estimator once it is needed. */
function useScore(needed: boolean): Score | undefined {
  const [score, setScore] = useState<Score>();
  useEffect(() => {
    if (!needed) return;
    let shown = true;
    import("@/lib/password-strength").then(
      ({ passwordScore }) => shown && setScore(() => passwordScore),
      () => {},
    );
    return () => {
      shown = false;
    };
  }, [needed]);
  return score;
}
