/** A way to display an email. */
export interface View {
  name: string;
  hint: string;
  /** The width of the page, in CSS pixels. */
  width: number;
  /** The page becomes wider where there is room. */
  stretches: boolean;
  /** The class that sets the color scheme. */
  scheme: string;
  forcedDark: boolean;
}

/** Most email layouts change at 600 to 640 px. */
const DESKTOP: View = {
  name: "Desktop",
  hint: "How a desktop email client shows it.",
  width: 720,
  stretches: true,
  scheme: "scheme-light",
  forcedDark: false,
};

export const VIEWS: readonly View[] = [
  DESKTOP,
  { ...DESKTOP, name: "Phone", hint: "On a phone, 375 px wide.", width: 375, stretches: false },
  {
    ...DESKTOP,
    name: "Dark",
    hint: "With the email’s own dark styles, as in Apple Mail.",
    scheme: "scheme-dark",
  },
  {
    ...DESKTOP,
    name: "Gmail dark",
    hint: "Gmail’s apps invert the colors and ignore the email’s own dark styles.",
    forcedDark: true,
  },
];

/** The style of a page in a box of that width: centered where there is room, scaled down where there is not. */
export function layoutOf(view: View, boxWidth: number) {
  const width = view.stretches ? Math.max(view.width, boxWidth) : view.width;
  const scale = boxWidth > 0 ? Math.min(1, boxWidth / width) : 1;
  return {
    width,
    height: `${100 / scale}%`,
    left: Math.max(0, (boxWidth - width) / 2),
    transform: scale < 1 ? `scale(${scale})` : undefined,
  };
}
