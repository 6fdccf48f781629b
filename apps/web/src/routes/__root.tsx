import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  type ErrorComponentProps,
  HeadContent,
  Link,
  Outlet,
  useRouter,
} from "@tanstack/react-router";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { getErrorMessage } from "@/lib/errors";

export const Route = createRootRouteWithContext<{ queries: QueryClient }>()({
  component: () => (
    <>
      <HeadContent />
      <Outlet />
    </>
  ),
  notFoundComponent: NotFound,
  errorComponent: Failed,
});

function Failed({ error }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <main className="mx-auto grid max-w-md gap-4 px-4 py-24">
      <h1 className="text-2xl font-semibold">This page could not be shown</h1>
      <Alert tone="danger">{getErrorMessage(error)}</Alert>
      <Button variant="primary" onClick={() => void router.invalidate()} className="justify-self-start">
        Try again
      </Button>
    </main>
  );
}

function NotFound() {
  return (
    <main className="mx-auto grid max-w-md gap-3 px-4 py-24">
      <h1 className="text-2xl font-semibold">There is nothing here</h1>
      <p className="text-muted">The address may be mistyped, or what was here has moved.</p>
      <Link to="/devices" className="justify-self-start font-medium text-brand underline underline-offset-4">
        Go to your devices
      </Link>
    </main>
  );
}
