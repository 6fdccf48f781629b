/** The shape of the editor while it is on its way. */
export function EditorSkeleton() {
  const pane = "card h-[32rem] animate-[pulse-soft_1.6s_ease-in-out_infinite]";
  return (
    <div role="status" aria-label="Loading the template" className="grid gap-6">
      <div className="h-8 w-64 rounded-lg bg-sunken" />
      <div className="grid gap-6 lg:grid-cols-2">
        <div className={pane} />
        <div className={`${pane} max-lg:hidden`} />
      </div>
    </div>
  );
}
