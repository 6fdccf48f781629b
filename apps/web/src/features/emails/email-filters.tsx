import { useQuery } from "@tanstack/react-query";
import { listTemplatesOptions } from "@/client/@tanstack/react-query.gen";
import { SearchBox } from "@/components/ui/search-box";
import { Select } from "@/components/ui/select";
import type { Filters } from "./queries";
import { STATUS_NAMES, STATUSES, type Status } from "./status-labels";

interface EmailFiltersProps {
  filters: Filters;
  onChange: (changes: Filters) => void;
}

export function EmailFilters({ filters, onChange }: EmailFiltersProps) {
  const templates = useQuery(listTemplatesOptions());
  const keys = templates.data?.items.map((template) => template.key) ?? [];
  // There can be emails of a template that has been deleted.
  const options = filters.template && !keys.includes(filters.template) ? [...keys, filters.template] : keys;
  return (
    <div className="flex flex-wrap gap-3">
      <SearchBox
        className="grow basis-60"
        label="Search by recipient"
        placeholder="Start of an email address"
        value={filters.q ?? ""}
        onSearch={(q) => onChange({ q: q || undefined })}
      />
      <Select
        label="Status"
        hideLabel
        className="grow basis-36 sm:basis-44 sm:grow-0"
        value={filters.status ?? ""}
        onChange={(event) => onChange({ status: (event.target.value as Status) || undefined })}
      >
        <option value="">Any status</option>
        {STATUS_NAMES.map((status) => (
          <option key={status} value={status}>
            {STATUSES[status].label}
          </option>
        ))}
      </Select>
      <Select
        label="Template"
        hideLabel
        className="grow basis-36 sm:basis-44 sm:grow-0"
        value={filters.template ?? ""}
        onChange={(event) => onChange({ template: event.target.value || undefined })}
      >
        <option value="">Any template</option>
        {options.map((key) => (
          <option key={key} value={key}>
            {key}
          </option>
        ))}
      </Select>
    </div>
  );
}
