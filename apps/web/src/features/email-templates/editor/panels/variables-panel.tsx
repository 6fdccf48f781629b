import { Pencil, Plus, Trash2 } from "lucide-react";
import { type ReactNode, useId, useRef, useState } from "react";
import type { TemplateVariable } from "@/client/types.gen";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import type { TemplateContent } from "../draft/content";
import { namesUsedIn } from "./used-variables";
import { formatValue } from "./values";
import { LINK_RULE, MAX_VARIABLES, VariableDialog } from "./variable-dialog";

export interface VariablesPanelProps {
  content: TemplateContent;
  /** Variables that exist in every template. */
  globals: TemplateVariable[];
  /** Custom templates declare their own variables; those of built-in templates are fixed. */
  editable: boolean;
  onInsert(name: string): void;
  onChange(variables: TemplateVariable[]): void;
}

/** Every variable that the content can use, and for custom templates a way to declare more. */
export function VariablesPanel({ content, globals, editable, onInsert, onChange }: VariablesPanelProps) {
  const { variables } = content;
  const used = namesUsedIn(content);
  const panel = useRef<HTMLDivElement>(null);
  // The index of the variable in the dialog; one past the last is a new one.
  const [edited, setEdited] = useState<number | null>(null);

  const handleRemove = (index: number) => {
    onChange(variables.toSpliced(index, 1));
    // The button that had the focus is gone.
    panel.current?.focus();
  };
  const handleSave = (variable: TemplateVariable) => {
    onChange(variables.toSpliced(edited ?? variables.length, 1, variable));
    setEdited(null);
  };
  const row = (variable: TemplateVariable, actions?: ReactNode) => (
    <Row
      key={variable.name}
      variable={variable}
      used={used.has(variable.name)}
      onInsert={() => onInsert(variable.name)}
      actions={actions}
    />
  );
  return (
    <div ref={panel} tabIndex={-1} className="grid grid-cols-1 gap-5 outline-none">
      <List title="Declared by this template" empty="This template declares no variables.">
        {variables.map((variable, index) =>
          row(
            variable,
            editable ? (
              <>
                <Button
                  size="icon"
                  variant="quiet"
                  aria-label={`Edit ${variable.name}`}
                  onClick={() => setEdited(index)}
                >
                  <Pencil size={16} aria-hidden />
                </Button>
                <Button
                  size="icon"
                  variant="quiet"
                  aria-label={`Remove ${variable.name}`}
                  onClick={() => handleRemove(index)}
                >
                  <Trash2 size={16} aria-hidden />
                </Button>
              </>
            ) : undefined,
          ),
        )}
      </List>
      {editable && variables.length < MAX_VARIABLES ? (
        <Button size="small" className="justify-self-start" onClick={() => setEdited(variables.length)}>
          <Plus size={16} aria-hidden />
          Add a variable
        </Button>
      ) : null}
      <List title="Available in every template">{globals.map((variable) => row(variable))}</List>
      {editable ? (
        <VariableDialog
          open={edited !== null}
          variable={edited === null ? undefined : variables[edited]}
          taken={variables.filter((_, index) => index !== edited).map(({ name }) => name)}
          reserved={globals.map(({ name }) => name)}
          onClose={() => setEdited(null)}
          onSave={handleSave}
        />
      ) : null}
    </div>
  );
}

function List({ title, empty, children }: { title: string; empty?: string; children: ReactNode[] }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="grid grid-cols-1 gap-2">
      <h3 id={id} className="text-sm font-semibold">
        {title}
      </h3>
      {children.length > 0 ? (
        <ul className="divide-y divide-line rounded-lg border border-line bg-surface">{children}</ul>
      ) : (
        <p className="text-sm text-muted">{empty}</p>
      )}
    </section>
  );
}

interface RowProps {
  variable: TemplateVariable;
  used: boolean;
  onInsert(): void;
  actions: ReactNode;
}

function Row({ variable, used, onInsert, actions }: RowProps) {
  const example = formatValue(variable.example);
  return (
    <li className="grid grid-cols-1 gap-1 p-3 text-sm">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <code className="font-mono font-medium wrap-anywhere">{variable.name}</code>
        <div className="flex items-center gap-1">
          {actions}
          <Button size="small" aria-label={`Insert ${variable.name}`} onClick={onInsert}>
            Insert
          </Button>
        </div>
      </div>
      <div className="flex flex-wrap gap-1.5">
        <Badge tone="quiet">{variable.type ?? "string"}</Badge>
        <Badge tone="quiet">{variable.required === false ? "optional" : "required"}</Badge>
        <Badge tone={used ? "brand" : "quiet"}>{used ? "used" : "unused"}</Badge>
      </div>
      {variable.description ? <p className="wrap-anywhere">{variable.description}</p> : null}
      {variable.type === "link" ? <p className="text-xs text-muted wrap-anywhere">{LINK_RULE}</p> : null}
      {example ? <p className="line-clamp-3 text-xs text-muted wrap-anywhere">Example: {example}</p> : null}
    </li>
  );
}
