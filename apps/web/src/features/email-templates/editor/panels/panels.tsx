import { TabButton } from "@/components/ui/tabs";
import type { Panel } from "../../search-params";
import { PreviewPanel } from "../preview/preview-panel";
import { ProblemCount } from "../problems";
import { ScrollableTabList } from "../scrollable-tab-list";
import type { EditorState, PanelOrEdit } from "../use-editor";
import { LanguagesPanel } from "./languages-panel";
import { LocalCopiesPanel } from "./local-copies-panel";
import { SamplesPanel } from "./samples-panel";
import { VariablesPanel } from "./variables-panel";

const PANEL_NAMES: Record<PanelOrEdit, string> = {
  edit: "Edit",
  preview: "Preview",
  variables: "Variables",
  samples: "Sample data",
  languages: "Languages",
  copies: "Local copies",
};

/** The tabs of the panels; on a narrow screen the content has a tab too. */
export function PanelTabs({ editor }: { editor: EditorState }) {
  const { wide, state, panel, problems } = editor;
  const names: PanelOrEdit[] = ["preview", "variables", "samples", "languages"];
  if (!wide) names.unshift("edit");
  if (state.localCopies.length > 0 || panel === "copies") names.push("copies");
  return (
    <ScrollableTabList label="Panels">
      {names.map((name) => (
        <TabButton key={name} name={name}>
          {PANEL_NAMES[name]}
          {name === "edit" ? <ProblemCount problems={problems} /> : null}
          {name === "variables" ? (
            <ProblemCount problems={problems.filter(({ part }) => part === "variables")} />
          ) : null}
        </TabButton>
      ))}
    </ScrollableTabList>
  );
}

export function PanelContent({ editor, panel }: { editor: EditorState; panel: Panel }) {
  const { template, language, draft, state, samples, preview, part } = editor;
  switch (panel) {
    case "preview":
      return <PreviewPanel template={template} state={preview} />;
    case "variables":
      return (
        <VariablesPanel
          content={state.content}
          globals={language.variables}
          editable={template.source === "custom"}
          onInsert={editor.insertVariable}
          onChange={(variables) => editor.edit({ variables })}
        />
      );
    case "samples":
      return (
        <SamplesPanel
          templateKey={template.key}
          variables={state.content.variables}
          samples={samples}
          errors={preview?.sampleErrors ?? {}}
          onChange={editor.setSamples}
        />
      );
    case "languages":
      return (
        <LanguagesPanel
          template={template}
          draft={draft}
          part={part}
          onAdd={() => void editor.openDialog("language")}
        />
      );
    case "copies":
      return <LocalCopiesPanel draft={draft} copies={state.localCopies} part={part} />;
  }
}
