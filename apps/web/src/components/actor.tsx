import { useQuery } from "@tanstack/react-query";
import { readUserOptions } from "@/client/@tanstack/react-query.gen";

const NAMES: Record<string, string> = {
  key: "An API key",
  shell: "The shell",
  gatepost: "Gatepost",
  application: "Your application",
  provider: "The mail provider",
  demo: "The demo data",
};

/** Who did something, as the audit log names them: people by their address, where there is one still. */
export function Actor({ name }: { name: string }) {
  const [kind = "", id = ""] = name.split(":");
  const person = useQuery({
    ...readUserOptions({ path: { user_id: id } }),
    enabled: kind === "person",
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (kind !== "person") return NAMES[kind] ?? name;
  return person.data?.email ?? (person.isPending ? "…" : "Somebody who is gone");
}
