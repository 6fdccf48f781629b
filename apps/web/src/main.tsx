import { QueryClientProvider } from "@tanstack/react-query";
import { createRouter, RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { client } from "@/client/client.gen";
import { Toaster } from "@/components/ui/toaster";
import { toApiError } from "@/lib/errors";
import { createQueryClient } from "@/lib/query-client";
import { loginSearch } from "@/lib/redirects";
import { routeTree } from "./routeTree.gen";
import "./styles.css";

client.interceptors.error.use(toApiError);

const queryClient = createQueryClient((error) => {
  const { pathname, href } = router.state.location;
  // Many requests can fail at once when the session has ended; only one of them navigates.
  if (pathname === "/login" || pathname === "/register") return;
  void router
    .navigate({ to: "/login", search: loginSearch(error, href), replace: true })
    .then(() => queryClient.clear());
});

const router = createRouter({
  routeTree,
  context: { queryClient },
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
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
      <Toaster />
    </QueryClientProvider>
  </StrictMode>,
);
