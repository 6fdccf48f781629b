import { useEffect, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import type { Shown } from "./use-preview";
import { useFrames } from "./use-preview-frames";
import { layoutOf, type View } from "./views";

export interface PreviewFramesProps {
  templateKey: string;
  locale: string;
  subject: string;
  shown: Shown;
  view: View;
}

/**
 * The mail itself, from the service and under the service's policy; the frame has no right at all, so that no mail can
 * do anything here. Nobody outside can tell how far a sandboxed page is scrolled: each begins at its top.
 */
export function PreviewFrames({ templateKey, locale, subject, shown, view }: PreviewFramesProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const { form, frames, front, nameOf, failed, again, handleLoad } = useFrames({
    templateKey,
    locale,
    shown,
    forcedDark: view.forcedDark,
  });
  return (
    <div className="grid grid-cols-1 gap-2">
      <div role="status" className="text-sm text-danger">
        {failed ? (
          <span className="flex flex-wrap items-center gap-3">
            This view could not be loaded.
            <Button size="small" onClick={again}>
              Try again
            </Button>
          </span>
        ) : null}
      </div>
      <div ref={box} className="relative h-[36rem] overflow-hidden rounded-lg border border-line bg-sunken">
        {[0, 1].map((frame) => (
          <iframe
            key={frame}
            ref={(element) => {
              frames.current[frame] = element;
            }}
            name={nameOf(frame)}
            sandbox=""
            title={frame === front ? `Preview of “${subject}”` : ""}
            onLoad={() => handleLoad(frame)}
            style={layoutOf(view, width)}
            className={`absolute top-0 origin-top-left ${frame === front ? "" : "invisible"} ${view.scheme}`}
          />
        ))}
      </div>
      <p className="text-xs text-muted">{view.hint} Links lead nowhere here.</p>
      <form ref={form} method="post" action={addressOf(templateKey, locale)} hidden>
        {Object.entries(fieldsOf(shown.body, view.forcedDark)).map(([name, value]) => (
          <input key={name} type="hidden" name={name} value={value} />
        ))}
      </form>
    </div>
  );
}

function addressOf(templateKey: string, locale: string): string {
  return `/v1/settings/email-templates/${encodeURIComponent(templateKey)}/preview?locale=${encodeURIComponent(locale)}`;
}

function fieldsOf(body: Shown["body"], forcedDark: boolean): Record<string, string> {
  const { text, variables, declared, ...words } = body;
  return {
    subject: words.subject ?? "",
    preheader: words.preheader ?? "",
    html: words.html ?? "",
    ...(text == null ? { text_from_html: "true" } : { text }),
    variables: JSON.stringify(variables),
    declared: JSON.stringify(declared),
    forced_dark: String(forcedDark),
  };
}

function useWidth(box: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, [box]);
  return width;
}
