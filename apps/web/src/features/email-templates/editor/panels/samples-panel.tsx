import { useState } from "react";
import type { TemplateVariable } from "@/client/types.gen";
import { Button } from "@/components/ui/button";
import { useSaveSamples } from "./use-save-samples";
import { ValueField } from "./value-field";
import { formatValue, ownValue, parseValue } from "./values";

export interface SamplesPanelProps {
  templateKey: string;
  variables: TemplateVariable[];
  samples: Record<string, unknown>;
  /** The server's errors, by variable: `PreviewState.sampleErrors`. */
  errors: Readonly<Record<string, string>>;
  onChange(samples: Record<string, unknown>): void;
}

/** The values that the preview uses. A variable without one uses its declared example. */
export function SamplesPanel({ templateKey, variables, samples, errors, onChange }: SamplesPanelProps) {
  const { save, isPending, isSuccess, isError } = useSaveSamples(templateKey);
  // What is typed, which may not be a valid value yet, or may be another spelling of it.
  const [texts, setTexts] = useState<Record<string, string>>({});

  const change = (values: Record<string, unknown>) => {
    onChange(values);
    save(values);
  };
  const handleText = (variable: TemplateVariable, text: string) => {
    setTexts({ ...texts, [variable.name]: text });
    const parsed = parseValue(variable.type ?? "string", text);
    if (parsed && "error" in parsed) return;
    const { [variable.name]: _, ...others } = samples;
    change(parsed ? { ...others, [variable.name]: parsed.value } : others);
  };
  const reset = () => {
    setTexts({});
    change({});
  };

  if (variables.length === 0)
    return <p className="text-sm text-muted">This template declares no variables.</p>;
  return (
    <div className="grid grid-cols-1 gap-4">
      <p className="text-sm text-muted">
        The preview and test emails use these values. An empty field uses the example.
      </p>
      {variables.map((variable) => (
        <Sample
          key={variable.name}
          variable={variable}
          text={ownValue(texts, variable.name) ?? formatValue(ownValue(samples, variable.name))}
          serverError={ownValue(errors, variable.name)}
          onText={(text) => handleText(variable, text)}
        />
      ))}
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Button size="small" onClick={reset}>
          Reset to the examples
        </Button>
        <p role="status" className={`text-sm ${isError ? "text-danger" : "text-muted"}`}>
          {isPending ? "" : isError ? "Not saved. Only you see these values." : isSuccess ? SAVED : ""}
        </p>
      </div>
    </div>
  );
}

const SAVED = "Saved for everyone who edits this template.";

interface SampleProps {
  variable: TemplateVariable;
  text: string;
  serverError: string | undefined;
  onText(text: string): void;
}

function Sample({ variable, text, serverError, onText }: SampleProps) {
  const type = variable.type ?? "string";
  const parsed = parseValue(type, text);
  return (
    <ValueField
      label={variable.name}
      type={type}
      text={text}
      example={formatValue(variable.example)}
      error={parsed && "error" in parsed ? parsed.error : serverError}
      onText={onText}
    />
  );
}
