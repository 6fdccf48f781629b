import { QueryClientProvider } from "@tanstack/react-query";
import { createRouter, RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { client } from "@/client/client.gen";
import { Toaster } from "@/components/ui/toaster";
import { toApiError } from "@/lib/errors";
import { createQueries } from "@/lib/query-client";
import { loginSearch } from "@/lib/redirects";
import { routeTree } from "./routeTree.gen";
import "./styles.css";

client.interceptors.error.use(toApiError);

const queries = createQueries((error) => {
  const { pathname, href } = router.state.location;
  // Many requests may learn at once that the session is over; one of them leaves.
  if (pathname === "/login" || pathname === "/register") return;
  void router
    .navigate({ to: "/login", search: loginSearch(error, href), replace: true })
    .then(() => queries.clear());
});

const router = createRouter({
  routeTree,
  context: { queries },
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
      <Toaster />
    </QueryClientProvider>
  </StrictMode>,
);
