import { useRef, useState } from "react";

interface MailFrameProps {
  /** The mail's own address, which comes under its own policy. */
  src: string;
  title: string;
  /** A link in it was followed, which leads nowhere in here; the mail is back. */
  onAway?: () => void;
}

/** A mail as its reader sees it: without any right, so that no mail can do anything here. */
export function MailFrame({ src, title, onAway }: MailFrameProps) {
  const shown = useRef(false);
  const [again, setAgain] = useState(0);
  const handleLoad = () => {
    // The second time it is where a link led: nowhere. So the mail comes back.
    if (shown.current) {
      setAgain(again + 1);
      onAway?.();
    }
    shown.current = !shown.current;
  };
  return (
    <iframe
      key={again}
      onLoad={handleLoad}
      sandbox=""
      src={src}
      title={title}
      className="h-[34rem] w-full rounded-lg border border-line bg-surface"
    />
  );
}
