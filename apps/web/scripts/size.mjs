// Weighs the JavaScript that a page loads first, gzipped, against its budget. The shell is what every page of a
// signed-in person loads; a page adds its own. Fails when a budget breaks.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const PAGES = new URL("../../api/gatepost/pages/", import.meta.url);
const KB = 1000;
const SHELL = { entries: ["index.html", "src/routes/_app.tsx?tsr-split=component"], budget: 150 * KB };
// Every page loads these once it is shown.
const MENUS = {
  entries: ["src/components/mail-menu.tsx", "src/components/account-menu.tsx"],
  budget: 50 * KB,
};
const component = (page) => `src/routes/${page}.tsx?tsr-split=component`;
const ADDED = {
  Devices: { entry: component("_app/devices"), budget: 25 * KB },
  Notifications: { entry: component("_app/settings/notifications"), budget: 5 * KB },
  Mailbox: { entry: component("_app/mailbox"), budget: 12 * KB },
  Templates: { entry: component("_app/settings/email-templates.index"), budget: 10 * KB },
  "E-mails": { entry: component("_app/settings/emails"), budget: 17 * KB },
  Suppressions: { entry: component("_app/settings/suppressions"), budget: 10 * KB },
  Editor: { entry: component("_app/settings/email-templates.$key"), budget: 30 * KB },
  // What that page loads once there is a template to edit.
  CodeMirror: { entry: "src/features/email-templates/editor/code/code-editor.tsx", budget: 210 * KB },
};

const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", PAGES), "utf8"));

function filesOf(entry, seen = new Set()) {
  const chunk = manifest[entry];
  if (!chunk) throw new Error(`${entry} is not in the build: has it moved?`);
  if (seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const imported of chunk.imports ?? []) filesOf(imported, seen);
  return seen;
}

function weigh(files) {
  return [...files].reduce((sum, file) => sum + gzipSync(readFileSync(new URL(file, PAGES))).length, 0);
}

function report(name, bytes, budget) {
  const fits = bytes <= budget;
  process.stdout.write(
    `${fits ? "ok  " : "OVER"} ${name.padEnd(15)} ${(bytes / KB).toFixed(1)} of ${budget / KB} KB gzipped\n`,
  );
  return fits;
}

const shell = new Set(SHELL.entries.flatMap((entry) => [...filesOf(entry)]));
const menus = new Set(
  MENUS.entries.flatMap((entry) => [...filesOf(entry)].filter((file) => !shell.has(file))),
);
let fits = report("shell", weigh(shell), SHELL.budget);
fits = report("+ menus", weigh(menus), MENUS.budget) && fits;
for (const [name, { entry, budget }] of Object.entries(ADDED)) {
  const own = new Set([...filesOf(entry)].filter((file) => !shell.has(file) && !menus.has(file)));
  fits = report(`+ ${name}`, weigh(own), budget) && fits;
}
process.exit(fits ? 0 : 1);
