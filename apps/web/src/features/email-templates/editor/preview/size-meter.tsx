import { clsx } from "clsx";

const KB = 1024;
/** Gmail clips emails whose HTML is larger. */
const LIMIT = 102 * KB;
const WARNING = 0.8 * LIMIT;

/** The size of the HTML, against what Gmail shows of an email. */
export function SizeMeter({ bytes }: { bytes: number }) {
  const size = `${Math.ceil(bytes / KB)} KB of ${LIMIT / KB} KB`;
  const over = bytes > LIMIT;
  const near = bytes >= WARNING && !over;
  return (
    <div className="grid gap-1.5 text-sm">
      <div className="flex flex-wrap justify-between gap-x-4">
        <span className="font-medium">Size</span>
        <span className={clsx(over ? "text-danger" : near ? "text-notice" : "text-muted")}>
          {size}
          {over ? ": Gmail clips this email" : near ? ": close to Gmail’s limit" : ""}
        </span>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: the colors of a <meter> cannot be styled in every browser. */}
      <div
        role="meter"
        aria-label="Size of the HTML"
        aria-valuemin={0}
        aria-valuemax={LIMIT}
        aria-valuenow={Math.min(bytes, LIMIT)}
        aria-valuetext={size}
        className="h-1.5 overflow-hidden rounded-full bg-sunken forced-colors:border"
      >
        <div
          style={{ width: `${Math.min(100, (100 * bytes) / LIMIT)}%` }}
          className={clsx(
            "h-full rounded-full forced-colors:bg-[Highlight]",
            over ? "bg-danger" : near ? "bg-notice" : "bg-brand",
          )}
        />
      </div>
    </div>
  );
}
