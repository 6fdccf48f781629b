import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useId, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { type PreviewRequest, requestPreview } from "./use-preview";

/** How long after an answer the next request is expected to succeed. */
const FRESH_MS = 200;
/** How long to wait for images before the email is shown without them. */
const LOAD_TIMEOUT_MS = 2000;

interface FramesInput {
  templateKey: string;
  locale: string;
  request: PreviewRequest;
  forcedDark: boolean;
}

/**
 * Two iframes that take turns: a form's POST loads the page into the hidden one, which is shown once it has loaded. A
 * form can neither refresh an expired token nor report an error, so a JSON request has to succeed shortly before.
 */
export function usePreviewFrames({ templateKey, locale, request, forcedDark }: FramesInput) {
  const id = useId();
  const queries = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const frames = useRef<(HTMLIFrameElement | null)[]>([]);
  const now = useRef<{ front: number | null; loading: number | null }>({ front: null, loading: null });
  const timeout = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [front, setFront] = useState<number | null>(null);
  const [failed, setFailed] = useState(false);
  const nameOf = (frame: number) => `${id}-${frame}`;

  const show = (frame: number) => {
    const focused = document.activeElement === frames.current[now.current.front ?? -1];
    now.current.front = frame;
    flushSync(() => setFront(frame));
    if (focused) frames.current[frame]?.focus();
  };
  const post = () => {
    const back = now.current.front === 0 ? 1 : 0;
    if (!form.current) return;
    now.current.loading = back;
    form.current.target = nameOf(back);
    form.current.submit();
    clearTimeout(timeout.current);
    timeout.current = setTimeout(() => show(back), LOAD_TIMEOUT_MS);
  };
  const verify = () =>
    queries.fetchQuery({
      queryKey: ["preview again", templateKey, locale, request.answeredAt],
      queryFn: () => requestPreview(templateKey, locale, request.body),
      networkMode: "always",
      retry: false,
      gcTime: 0,
    });
  const load = async (isObsolete: () => boolean = () => false) => {
    try {
      if (Date.now() - request.answeredAt > FRESH_MS) await verify();
      if (!isObsolete()) post();
      setFailed(false);
    } catch {
      if (!isObsolete()) setFailed(true);
    }
  };
  const loadNew = useEffectEvent(load);
  // biome-ignore lint/correctness/useExhaustiveDependencies: these are what the page is made of.
  useEffect(() => {
    let obsolete = false;
    // Deferred, so that React's second mount in development does not post twice.
    void Promise.resolve().then(() => (obsolete ? undefined : loadNew(() => obsolete)));
    return () => {
      obsolete = true;
    };
  }, [templateKey, locale, request, forcedDark]);
  useEffect(() => () => clearTimeout(timeout.current), []);

  const handleLoad = (frame: number) => {
    if (frame === now.current.loading) {
      now.current.loading = null;
      clearTimeout(timeout.current);
      show(frame);
    } else if (frame === now.current.front) {
      // A link was followed, to a page that the policy blocks. Show the email again.
      void load();
    }
  };
  return { form, frames, front, nameOf, failed, retry: () => void load(), handleLoad };
}
