import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { getErrorMessage, isForbidden } from "@/lib/errors";

interface LoadFailedProps {
  /** What could not be loaded, as the start of a sentence: "The email log". */
  what: string;
  query: { error: unknown; isFetching: boolean; refetch: () => unknown };
}

/** Replaces what could not be loaded, with a button to try again. */
export function LoadFailed({ what, query }: LoadFailedProps) {
  const { error, isFetching, refetch } = query;
  if (isForbidden(error)) return <Alert tone="notice">{what} can only be seen by admins.</Alert>;
  return (
    <div className="grid justify-items-start gap-4">
      <Alert tone="danger">
        {what} could not be loaded. {getErrorMessage(error)}
      </Alert>
      <Button variant="primary" busy={isFetching} onClick={() => void refetch()}>
        Try again
      </Button>
    </div>
  );
}

interface ReloadFailedProps {
  what: string;
  list: { error: unknown; isFetchNextPageError: boolean };
}

/** Stands above a list that is shown, but could not be loaded again. */
export function ReloadFailed({ what, list }: ReloadFailedProps) {
  if (!list.error || list.isFetchNextPageError) return null;
  return (
    <Alert tone="danger">
      {what} could not be reloaded. {getErrorMessage(list.error)}
    </Alert>
  );
}
