import { clsx } from "clsx";

const KB = 1024;
/** Gmail cuts a mail off beyond this. */
const LIMIT = 102 * KB;
const NEAR = 0.8 * LIMIT;

/** How large a mail's HTML is, against what Gmail shows of it. */
export function SizeMeter({ bytes }: { bytes: number }) {
  const words = `${Math.ceil(bytes / KB)} KB of ${LIMIT / KB} KB`;
  const past = bytes > LIMIT;
  const near = bytes >= NEAR && !past;
  return (
    <div className="grid gap-1.5 text-sm">
      <div className="flex flex-wrap justify-between gap-x-4">
        <span className="font-medium">Size</span>
        <span className={clsx(past ? "text-danger" : near ? "text-notice" : "text-muted")}>
          {words}
          {past ? ": Gmail cuts it off" : near ? ": close to where Gmail cuts off" : ""}
        </span>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: browsers do not let the colours of their own be chosen. */}
      <div
        role="meter"
        aria-label="Size of the HTML"
        aria-valuemin={0}
        aria-valuemax={LIMIT}
        aria-valuenow={Math.min(bytes, LIMIT)}
        aria-valuetext={words}
        className="h-1.5 overflow-hidden rounded-full bg-sunken forced-colors:border"
      >
        <div
          style={{ width: `${Math.min(100, (100 * bytes) / LIMIT)}%` }}
          className={clsx(
            "h-full rounded-full forced-colors:bg-[Highlight]",
            past ? "bg-danger" : near ? "bg-notice" : "bg-brand",
          )}
        />
      </div>
    </div>
  );
}
