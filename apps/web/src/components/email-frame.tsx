import { useRef, useState } from "react";

interface EmailFrameProps {
  /** The URL of the email's HTML, which is served with its own Content-Security-Policy. */
  src: string;
  title: string;
  /** Called when a link in the frame was clicked. Links lead nowhere in here; the email is shown again. */
  onLinkClick?: () => void;
}

/** The HTML of an email in a sandbox without any permission. */
export function EmailFrame({ src, title, onLinkClick }: EmailFrameProps) {
  const loaded = useRef(false);
  const [attempt, setAttempt] = useState(0);
  const handleLoad = () => {
    // A second load is the target of a link, which is blocked: show the email again.
    if (loaded.current) {
      setAttempt(attempt + 1);
      onLinkClick?.();
    }
    loaded.current = !loaded.current;
  };
  return (
    <iframe
      key={attempt}
      onLoad={handleLoad}
      sandbox=""
      src={src}
      title={title}
      className="h-[34rem] w-full rounded-lg border border-line bg-surface"
    />
  );
}
