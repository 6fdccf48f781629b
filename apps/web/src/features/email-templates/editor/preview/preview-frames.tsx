import { type RefObject, useEffect, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import type { PreviewRequest } from "./use-preview";
import { usePreviewFrames } from "./use-preview-frames";
import { layoutOf, type View } from "./views";

export interface PreviewFramesProps {
  templateKey: string;
  locale: string;
  subject: string;
  request: PreviewRequest;
  view: View;
}

/**
 * The rendered email. The iframe's sandbox has no permissions and the server's policy blocks everything else, so that
 * no email can act here. A sandboxed page does not reveal its scroll position, so each starts at its top.
 */
export function PreviewFrames({ templateKey, locale, subject, request, view }: PreviewFramesProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const { form, frames, front, nameOf, failed, retry, handleLoad } = usePreviewFrames({
    templateKey,
    locale,
    request,
    forcedDark: view.forcedDark,
  });
  return (
    <div className="grid grid-cols-1 gap-2">
      <div role="status" className="text-sm text-danger">
        {failed ? (
          <span className="flex flex-wrap items-center gap-3">
            This view could not be loaded.
            <Button size="small" onClick={retry}>
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
      <p className="text-xs text-muted">{view.hint} Links do not work in the preview.</p>
      <form ref={form} method="post" action={urlOf(templateKey, locale)} hidden>
        {Object.entries(formFields(request.body, view.forcedDark)).map(([name, value]) => (
          <input key={name} type="hidden" name={name} value={value} />
        ))}
      </form>
    </div>
  );
}

function urlOf(templateKey: string, locale: string): string {
  return `/v1/settings/email-templates/${encodeURIComponent(templateKey)}/preview?locale=${encodeURIComponent(locale)}`;
}

function formFields(body: PreviewRequest["body"], forcedDark: boolean): Record<string, string> {
  const { subject, preheader, html, text, variables, declared } = body;
  return {
    subject: subject ?? "",
    preheader: preheader ?? "",
    html: html ?? "",
    ...(text == null ? { text_from_html: "true" } : { text }),
    variables: JSON.stringify(variables),
    declared: JSON.stringify(declared),
    forced_dark: String(forcedDark),
  };
}

function useWidth(box: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, [box]);
  return width;
}
