import { useQuery } from "@tanstack/react-query";
import { readUserOptions } from "@/client/@tanstack/react-query.gen";

const NAMES: Record<string, string> = {
  key: "An API key",
  cli: "The command line",
  gatepost: "Gatepost",
  application: "Your application",
  provider: "The email provider",
  demo: "The demo data",
};

/** The name of an actor of the audit log, such as "user:<id>". A user is shown by their email address. */
export function Actor({ name }: { name: string }) {
  const [kind = "", id = ""] = name.split(":");
  const user = useQuery({
    ...readUserOptions({ path: { user_id: id } }),
    enabled: kind === "user",
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (kind !== "user") return NAMES[kind] ?? name;
  return user.data?.email ?? (user.isPending ? "…" : "A deleted user");
}
