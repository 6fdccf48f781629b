import type { EmailTemplate, TemplateLanguage } from "@/client/types.gen";
import type { Panel } from "../../search-params";
import { PreviewPane } from "../preview/preview-panel";
import { count } from "../problems";
import type { TabEntry } from "../tab-list";
import type { EditorState } from "../use-editor";
import { Languages } from "./languages-panel";
import { SetAside } from "./local-copies-panel";
import { SamplesPanel } from "./samples-panel";
import { VariablesPanel } from "./variables-panel";

/** The tabs beside the words; on a narrow screen they are one of them. */
export function panelTabs({ wide, state, panel, problems }: EditorState): TabEntry<Panel | "edit">[] {
  const undeclared = count(problems.filter(({ part }) => part === "variables"));
  const edit: TabEntry<Panel | "edit"> = { name: "edit", label: "Edit", problems: count(problems) };
  const aside: TabEntry<Panel | "edit"> = { name: "aside", label: "Set aside" };
  return [
    ...(wide ? [] : [edit]),
    { name: "preview", label: "Preview" },
    { name: "variables", label: "Variables", problems: undeclared },
    { name: "samples", label: "Sample data" },
    { name: "languages", label: "Languages" },
    ...(state.asides.length > 0 || panel === "aside" ? [aside] : []),
  ];
}

interface PanelsProps {
  template: EmailTemplate;
  grammar: TemplateLanguage;
  editor: EditorState;
}

/** The one that is shown. */
export function ShownPanel({ template, grammar, editor }: PanelsProps) {
  const { panel, desk, state, samples, checked, part } = editor;
  const variables = state.copy.variables;
  switch (panel) {
    case "preview":
      return <PreviewPane templateKey={template.key} locale={template.locale} checked={checked} />;
    case "variables":
      return (
        <VariablesPanel
          variables={variables}
          always={grammar.variables}
          editable={template.source === "custom"}
          used={state.copy}
          onInsert={editor.insert}
          onChange={(declared) => editor.type({ variables: declared })}
        />
      );
    case "samples":
      return (
        <SamplesPanel
          templateKey={template.key}
          variables={variables}
          samples={samples}
          problems={checked?.problems ?? {}}
          onChange={editor.setSamples}
        />
      );
    case "languages":
      return (
        <Languages template={template} desk={desk} part={part} onAdd={() => void editor.open("language")} />
      );
    case "aside":
      return <SetAside desk={desk} asides={state.asides} part={part} />;
    default:
      return null;
  }
}
