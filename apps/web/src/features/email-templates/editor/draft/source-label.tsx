import { Actor } from "@/components/actor";
import { RelativeTime } from "@/components/ui/relative-time";
import type { SourceInfo } from "./current-source";

/** The actor's name: "you" for the user who looks. An actor is a kind and an id, such as "user:5f0c…". */
export function ActorOrYou({ actor, me }: { actor: string; me: string }) {
  return actor.split(":")[1] === me ? "you" : <Actor name={actor} />;
}

/** A source as part of a sentence: "a draft saved by ada@acme.com 2 minutes ago". */
export function SourceLabel({ source, me }: { source: SourceInfo; me: string }) {
  const { kind, version, changedBy, changedAt } = source;
  if (kind === "none") return "no content";
  if (kind === "builtin") return "the built-in template";
  return (
    <>
      {kind === "draft" ? "a draft saved" : `version ${version}, published`}
      {changedBy ? (
        <>
          {" by "}
          <ActorOrYou actor={changedBy} me={me} />
        </>
      ) : null}{" "}
      {changedAt ? <RelativeTime at={changedAt} /> : null}
    </>
  );
}
