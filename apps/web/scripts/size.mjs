// Checks the size of the JavaScript that a page loads first, gzipped, against a budget. Every page of a signed-in user loads
// the shell first, then the menus; each page adds its own. Exits with 1 when a budget is exceeded.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const PAGES = new URL("../../api/gatepost/pages/", import.meta.url);
const KB = 1000;
const component = (page) => `src/routes/${page}.tsx?tsr-split=component`;
const SHELL = { entries: ["index.html", component("_app")], budget: 150 * KB };
const MENUS = {
  entries: ["src/components/mail-menu.tsx", "src/components/account-menu.tsx"],
  budget: 45 * KB,
};
const ADDED = {
  Devices: { entry: component("_app/devices"), budget: 25 * KB },
  Notifications: { entry: component("_app/settings/notifications"), budget: 5 * KB },
  Mailbox: { entry: component("_app/mailbox"), budget: 12 * KB },
  Templates: { entry: component("_app/settings/email-templates.index"), budget: 11 * KB },
  Emails: { entry: component("_app/settings/emails"), budget: 16 * KB },
  Suppressions: { entry: component("_app/settings/suppressions"), budget: 10 * KB },
  Editor: { entry: component("_app/settings/email-templates.$key"), budget: 30 * KB },
  // A form for a new password loads it once something is typed: mostly the list of common passwords.
  "Password hint": { entry: "src/lib/password-strength.ts", budget: 240 * KB },
  // The editor page loads it once the template is there.
  CodeMirror: { entry: "src/features/email-templates/editor/code/code-editor.tsx", budget: 210 * KB },
};

const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", PAGES), "utf8"));

function filesOf(entry, files = new Set()) {
  const chunk = manifest[entry];
  if (!chunk) throw new Error(`${entry} is not in the build. Was it moved?`);
  if (files.has(chunk.file)) return files;
  files.add(chunk.file);
  for (const imported of chunk.imports ?? []) filesOf(imported, files);
  return files;
}

const loaded = new Set();

/** Reports the size of what these entries add to the files in `loaded`. Returns whether it is within the budget. */
function check(name, entries, budget) {
  const files = new Set(entries.flatMap((entry) => [...filesOf(entry)]).filter((file) => !loaded.has(file)));
  const sizes = [...files].map((file) => gzipSync(readFileSync(new URL(file, PAGES))).length);
  const size = sizes.reduce((sum, each) => sum + each, 0);
  const status = size <= budget ? "ok  " : "OVER";
  process.stdout.write(
    `${status} ${name.padEnd(15)} ${(size / KB).toFixed(1)} of ${budget / KB} KB gzipped\n`,
  );
  return { files, fits: size <= budget };
}

let fits = true;
for (const [name, { entries, budget }] of Object.entries({ shell: SHELL, "+ menus": MENUS })) {
  const result = check(name, entries, budget);
  for (const file of result.files) loaded.add(file);
  fits = result.fits && fits;
}
for (const [name, { entry, budget }] of Object.entries(ADDED)) {
  fits = check(`+ ${name}`, [entry], budget).fits && fits;
}
process.exit(fits ? 0 : 1);
