import { Monitor, Moon, Sun } from "lucide-react";
import { useId } from "react";
import { chooseTheme, type Theme, useTheme } from "@/lib/theme";

export const THEMES: { theme: Theme; label: string; Icon: typeof Sun }[] = [
  { theme: "light", label: "Light", Icon: Sun },
  { theme: "dark", label: "Dark", Icon: Moon },
  { theme: "system", label: "System", Icon: Monitor },
];

/** The choice of the theme. */
export function ThemeChoice() {
  const theme = useTheme();
  const name = useId();
  return (
    <fieldset className="inline-flex rounded-lg border border-line bg-sunken p-0.5">
      <legend className="sr-only">Theme</legend>
      {THEMES.map(({ theme: choice, label, Icon }) => (
        <label
          key={choice}
          title={label}
          className="grid size-8 cursor-pointer place-items-center rounded-md text-muted hover:text-ink has-checked:bg-surface has-checked:text-ink has-checked:shadow-card has-focus-visible:outline-2 has-focus-visible:outline-brand"
        >
          <input
            type="radio"
            name={name}
            className="sr-only"
            checked={theme === choice}
            onChange={() => chooseTheme(choice)}
          />
          <Icon size={16} aria-hidden />
          <span className="sr-only">{label}</span>
        </label>
      ))}
    </fieldset>
  );
}
