import { useQuery } from "@tanstack/react-query";
import { readRegistrationOptions } from "@/client/@tanstack/react-query.gen";
import type { RegistrationInfo } from "@/client/types.gen";

/** Returns who can register; undefined while loading. If that cannot be read, the service answers the form. */
export function useRegistration(): RegistrationInfo["registration"] | undefined {
  const { data, isPending } = useQuery({ ...readRegistrationOptions(), retry: false });
  return isPending ? undefined : (data?.registration ?? "open");
}
