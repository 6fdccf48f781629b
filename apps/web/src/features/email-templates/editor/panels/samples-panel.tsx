import { useState } from "react";
import type { TemplateVariable } from "@/client/types.gen";
import { Button } from "@/components/ui/button";
import { useSaveSamples } from "./use-save-samples";
import { ValueField } from "./value-field";
import { own, read, written } from "./values";

export interface SamplesPanelProps {
  templateKey: string;
  variables: TemplateVariable[];
  samples: Record<string, unknown>;
  /** What the service has found wrong with values, by variable: `Checked.problems`. */
  problems?: Readonly<Record<string, string>>;
  onChange(samples: Record<string, unknown>): void;
}

/** The values that the preview shows; where there is none, the declared example. */
export function SamplesPanel({
  templateKey,
  variables,
  samples,
  problems = {},
  onChange,
}: SamplesPanelProps) {
  const { save, isPending, isSuccess, isError } = useSaveSamples(templateKey);
  // What is typed, where it makes no value yet, or another way of writing one.
  const [texts, setTexts] = useState<Record<string, string>>({});

  const change = (values: Record<string, unknown>) => {
    onChange(values);
    save(values);
  };
  const type = (variable: TemplateVariable, text: string) => {
    setTexts({ ...texts, [variable.name]: text });
    const typed = read(variable.type ?? "string", text);
    if (typed && "problem" in typed) return;
    const { [variable.name]: _, ...others } = samples;
    change(typed ? { ...others, [variable.name]: typed.value } : others);
  };
  const reset = () => {
    setTexts({});
    change({});
  };

  if (variables.length === 0)
    return <p className="text-sm text-muted">This template declares no variables.</p>;
  return (
    <div className="grid grid-cols-1 gap-4">
      <p className="text-sm text-muted">What the preview shows. A field that is empty shows its example.</p>
      {variables.map((variable) => (
        <Sample
          key={variable.name}
          variable={variable}
          text={own(texts, variable.name) ?? written(own(samples, variable.name))}
          problem={own(problems, variable.name)}
          onText={(text) => type(variable, text)}
        />
      ))}
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Button size="small" onClick={reset}>
          Use the examples
        </Button>
        <p role="status" className={`text-sm ${isError ? "text-danger" : "text-muted"}`}>
          {isPending ? "" : isError ? "Not saved: only you see this." : isSuccess ? SAVED : ""}
        </p>
      </div>
    </div>
  );
}

const SAVED = "Saved for everybody who edits this template";

interface SampleProps {
  variable: TemplateVariable;
  text: string;
  problem: string | undefined;
  onText(text: string): void;
}

function Sample({ variable, text, problem, onText }: SampleProps) {
  const type = variable.type ?? "string";
  const typed = read(type, text);
  return (
    <ValueField
      label={variable.name}
      type={type}
      text={text}
      example={written(variable.example)}
      problem={typed && "problem" in typed ? typed.problem : problem}
      onText={onText}
    />
  );
}
