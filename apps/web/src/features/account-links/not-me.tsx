import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Disowned } from "@/client/types.gen";
import { AuthCard } from "@/components/auth-card";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Outcome } from "@/components/ui/success-message";
import { TEXT_LINK } from "@/components/ui/text-link";
import { getErrorMessage } from "@/lib/errors";
import { LinkTrouble, troubleOf } from "./link-error";
import { useReportNotMe, useResetPassword } from "./mutations";
import { ChoosePassword } from "./new-password-form";
import { PasswordChanged } from "./password-changed";
import { keptReport, REPORT } from "./stored-report";

/** Where "this wasn't me" in a mail about a sign-in leads. */
export function NotMe({ token }: { token: string | null }) {
  const [before] = useState(() => (token === null ? keptReport() : null));
  const report = useReportNotMe();
  const reset = useResetPassword(REPORT);
  const done = report.data ?? before;
  return (
    <AuthCard
      title="This wasn't you?"
      footer={
        done ? null : (
          <>
            It works without a link too: sign in and open{" "}
            <Link to="/devices" className={TEXT_LINK}>
              Devices
            </Link>
            .
          </>
        )
      }
    >
      {reset.isSuccess ? (
        <PasswordChanged />
      ) : done ? (
        <Next done={done} reset={reset} />
      ) : (
        <Ask token={token} report={report} />
      )}
    </AuthCard>
  );
}

function Ask({ token, report }: { token: string | null; report: ReturnType<typeof useReportNotMe> }) {
  const trouble = token === null ? "link_missing" : troubleOf(report.error);
  if (token === null || trouble) return <LinkTrouble page="/not-me" trouble={trouble ?? "link_missing"} />;
  return (
    <>
      <div className="grid gap-2 text-sm">
        <p>If you did not sign in on the device that our mail names, press the button:</p>
        <ul className="grid list-disc gap-1 pl-5">
          <li>That device and all others are signed out, this one too.</li>
          <li>The old password stops working.</li>
          <li>You choose a new one, right here.</li>
        </ul>
      </div>
      {report.error ? <Alert tone="danger">{getErrorMessage(report.error)}</Alert> : null}
      <Button
        variant="danger"
        className="min-h-11"
        busy={report.isPending}
        onClick={() => report.mutate(token)}
      >
        {report.isPending ? "Signing out…" : "Sign out every device"}
      </Button>
      {/* After an attempt nobody here knows that. */}
      {report.isIdle ? (
        <p className="text-sm text-muted">It was you? Close this page: nothing has been changed.</p>
      ) : null}
    </>
  );
}

function Next({ done, reset }: { done: Disowned; reset: ReturnType<typeof useResetPassword> }) {
  const trouble = troubleOf(reset.error);
  return (
    <>
      <Outcome>Done: {signedOut(done.revoked)}.</Outcome>
      {trouble ? (
        <LinkTrouble page="/reset-password" trouble={trouble} />
      ) : (
        <>
          <p className="text-sm">
            Your old password does not work any more. Choose a new one now, one that you use nowhere else.
          </p>
          <ChoosePassword
            onSubmit={(password) => reset.mutate({ token: done.reset_token, password })}
            error={reset.error}
            busy={reset.isPending}
          />
        </>
      )}
    </>
  );
}

function signedOut(devices: number): string {
  if (devices === 0) return "no device was signed in any more";
  return devices === 1 ? "1 device was signed out" : `${devices} devices were signed out`;
}
