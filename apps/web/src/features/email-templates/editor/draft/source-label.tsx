import { Actor } from "@/components/actor";
import { RelativeTime } from "@/components/ui/relative-time";
import type { Origin } from "./current-source";

/** Who did it, as the person who looks would say: "you" for themselves. */
export function By({ actor, me }: { actor: string; me: string }) {
  return actor === `person:${me}` ? "you" : <Actor name={actor} />;
}

/** Where words come from, as the rest of a sentence: "a draft that ada@acme.com saved 2 minutes ago". */
export function FromWhere({ origin, me }: { origin: Origin; me: string }) {
  const { kind, version, by, at } = origin;
  if (kind === "builtin") return "the built-in words";
  if (kind === "nothing") return "nothing";
  return (
    <>
      {kind === "draft" ? "a draft that " : `version ${version}, which `}
      {by ? <By actor={by} me={me} /> : "somebody"}
      {kind === "draft" ? " saved " : " published "}
      {at ? <RelativeTime at={at} /> : null}
    </>
  );
}
