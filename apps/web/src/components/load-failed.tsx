import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { ApiError, getErrorMessage } from "@/lib/errors";

interface LoadFailedProps {
  /** What could not be loaded: "The e-mail log". */
  what: string;
  query: { error: unknown; isFetching: boolean; refetch: () => unknown };
}

/** Says that a page could not be loaded, or is not for everybody. */
export function LoadFailed({ what, query }: LoadFailedProps) {
  const { error, isFetching, refetch } = query;
  if (error instanceof ApiError && error.status === 403)
    return <Alert tone="notice">{what} can be seen by administrators only.</Alert>;
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
