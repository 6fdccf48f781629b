import { QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRouter, RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import { beforeEach } from "vitest";
import { Toaster } from "@/components/ui/toaster";
import { createQueryClient } from "@/lib/query-client";
import { routeTree } from "@/routeTree.gen";
import "./dom";

beforeEach(() => sessionStorage.clear());

/** Opens the app at a path, as in a new tab; opened again, it is as after a reload. */
export async function openPage(href: string) {
  const queryClient = createQueryClient(() => {});
  const history = createMemoryHistory({ initialEntries: [href] });
  const router = createRouter({ routeTree, history, context: { queryClient } });
  const page = render(
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
      <Toaster />
    </QueryClientProvider>,
  );
  await page.findByRole("heading", { level: 1 });
  return { ...page, router, queryClient, href: () => router.state.location.href };
}
