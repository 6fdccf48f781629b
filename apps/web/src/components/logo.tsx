export function Logo() {
  return (
    <span className="inline-flex items-center gap-2 font-semibold tracking-tight">
      <svg viewBox="0 0 32 32" className="size-7" aria-hidden>
        <title>Gatepost</title>
        <rect width="32" height="32" rx="8" className="fill-brand" />
        <path
          d="M9 25V10.5a7 7 0 0 1 14 0V25M9 15h14M16 4v21"
          fill="none"
          className="stroke-on-brand"
          strokeWidth="2.4"
          strokeLinecap="round"
        />
      </svg>
      Gatepost
    </span>
  );
}
