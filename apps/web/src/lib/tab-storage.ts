const PREFIX = "gatepost.link.";
const memory = new Map<string, string>();

/** Stores a value for this tab only, over reloads. Where the browser has storage switched off, it lasts until a reload. */
export function setTabValue(name: string, value: string): void {
  memory.set(name, value);
  try {
    sessionStorage.setItem(PREFIX + name, value);
  } catch {
    // Storage is switched off.
  }
}

export function getTabValue(name: string): string | null {
  try {
    return sessionStorage.getItem(PREFIX + name) ?? memory.get(name) ?? null;
  } catch {
    return memory.get(name) ?? null;
  }
}

export function removeTabValue(name: string): void {
  memory.delete(name);
  try {
    sessionStorage.removeItem(PREFIX + name);
  } catch {
    // Storage is switched off.
  }
}
