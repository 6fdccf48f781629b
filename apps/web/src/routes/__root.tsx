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
import { TEXT_LINK } from "@/components/ui/text-link";
import { getErrorMessage } from "@/lib/errors";

export const Route = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: () => (
    <>
      <HeadContent />
      <Outlet />
    </>
  ),
  notFoundComponent: NotFound,
  errorComponent: PageError,
});

function PageError({ error }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <main className="mx-auto grid max-w-md gap-4 px-4 py-24">
      <h1 className="text-2xl font-semibold">This page could not be loaded</h1>
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
      <h1 className="text-2xl font-semibold">Page not found</h1>
      <p className="text-muted">The URL may be mistyped, or the page was moved.</p>
      <Link to="/devices" className={`justify-self-start ${TEXT_LINK}`}>
        Go to your devices
      </Link>
    </main>
  );
}
