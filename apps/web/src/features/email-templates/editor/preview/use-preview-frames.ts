import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useId, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { previewTemplate } from "@/client/sdk.gen";
import type { Shown } from "./use-preview";

/** Milliseconds for which a good answer says that the next request will be taken, too. */
const FRESH = 200;
/** Milliseconds after which a mail is shown without the pictures that are still missing. */
const PATIENCE = 2000;

interface Framed {
  templateKey: string;
  locale: string;
  shown: Shown;
  forcedDark: boolean;
}

/**
 * Two frames for one page: a form's POST fills the one behind, which comes to the front once it is loaded. No post can
 * refresh a token that has expired, nor tell why it failed: a good JSON answer always comes first.
 */
export function useFrames({ templateKey, locale, shown, forcedDark }: Framed) {
  const id = useId();
  const queries = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const frames = useRef<(HTMLIFrameElement | null)[]>([]);
  const now = useRef<{ front: number | null; awaited: number | null }>({ front: null, awaited: null });
  const patience = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [front, setFront] = useState<number | null>(null);
  const [failed, setFailed] = useState(false);
  const nameOf = (frame: number) => `${id}-${frame}`;

  const bring = (frame: number) => {
    const focused = document.activeElement === frames.current[now.current.front ?? -1];
    now.current.front = frame;
    flushSync(() => setFront(frame));
    if (focused) frames.current[frame]?.focus();
  };
  const post = () => {
    const back = now.current.front === 0 ? 1 : 0;
    if (!form.current) return;
    now.current.awaited = back;
    form.current.target = nameOf(back);
    form.current.submit();
    clearTimeout(patience.current);
    patience.current = setTimeout(() => bring(back), PATIENCE);
  };
  const verify = () =>
    queries.fetchQuery({
      queryKey: ["preview again", templateKey, locale, shown.at],
      queryFn: async () =>
        (await previewTemplate({ path: { key: templateKey }, query: { locale }, body: shown.body })).data,
      networkMode: "always",
      retry: false,
      gcTime: 0,
    });
  const load = async (isGone: () => boolean = () => false) => {
    try {
      if (Date.now() - shown.at > FRESH) await verify();
      if (!isGone()) post();
      setFailed(false);
    } catch {
      if (!isGone()) setFailed(true);
    }
  };
  const loadNew = useEffectEvent(load);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what the page is made of.
  useEffect(() => {
    let gone = false;
    // Not at once, so that React's second mount in development does not post twice.
    void Promise.resolve().then(() => (gone ? undefined : loadNew(() => gone)));
    return () => {
      gone = true;
    };
  }, [templateKey, locale, shown, forcedDark]);
  useEffect(() => () => clearTimeout(patience.current), []);

  const handleLoad = (frame: number) => {
    if (frame === now.current.awaited) {
      now.current.awaited = null;
      clearTimeout(patience.current);
      bring(frame);
    } else if (frame === now.current.front) {
      // It is where a link led: nowhere. The mail comes back.
      void load();
    }
  };
  return { form, frames, front, nameOf, failed, again: () => void load(), handleLoad };
}
