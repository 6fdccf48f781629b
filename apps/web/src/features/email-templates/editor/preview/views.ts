/** A way to look at a mail. `width` is that of its page, in CSS pixels. */
export interface View {
  name: string;
  hint: string;
  width: number;
  widens: boolean;
  scheme: string;
  forcedDark: boolean;
}

/** Wide enough for what a mail shows on a desk; most layouts change at 600 to 640 px. */
const DESK = { width: 720, widens: true, scheme: "scheme-light", forcedDark: false };

export const VIEWS: readonly View[] = [
  { ...DESK, name: "Desktop", hint: "As on a wide screen." },
  { ...DESK, name: "Phone", hint: "As on a phone, 375 px wide.", width: 375, widens: false },
  {
    ...DESK,
    name: "Dark",
    hint: "In the mail’s own dark styles, as Apple Mail shows them.",
    scheme: "scheme-dark",
  },
  {
    ...DESK,
    name: "Gmail dark",
    hint: "As Gmail’s apps darken it, whatever the mail’s own styles say.",
    forcedDark: true,
  },
];

/** Lays a page out in a box of that many pixels: centred where there is room, smaller as a whole where there is not. */
export function layoutOf(view: View, box: number) {
  const width = view.widens ? Math.max(view.width, box) : view.width;
  const scale = box > 0 ? Math.min(1, box / width) : 1;
  return {
    width,
    height: `${100 / scale}%`,
    left: Math.max(0, (box - width) / 2),
    transform: scale < 1 ? `scale(${scale})` : undefined,
  };
}
