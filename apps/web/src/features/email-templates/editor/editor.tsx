import { TabGroup, TabPanel } from "@/components/ui/tabs";
import { Alerts } from "./alerts";
import { Dialogs } from "./dialogs/dialogs";
import { Header } from "./header";
import { PanelContent, PanelTabs } from "./panels/panels";
import { PartEditors } from "./part-editors";
import { type EditorInput, useEditor } from "./use-editor";

/** The editor of one template in one language: the content, and a panel such as the preview beside it. */
export function Editor(props: EditorInput) {
  const editor = useEditor(props);
  const { wide, panel } = editor;
  // On a narrow screen the content is a tab panel too. It stays the same element, so that the code editors stay mounted.
  const tabPanel = wide ? {} : { role: "tabpanel", "aria-label": "Edit", hidden: panel !== "edit" };
  return (
    <div className="grid grid-cols-1 gap-5" data-full>
      <Header editor={editor} />
      <Alerts editor={editor} />
      <TabGroup value={panel} onChange={editor.showPanel} className="grid grid-cols-1 gap-5">
        {wide ? null : (
          <div className="-mx-4">
            <PanelTabs editor={editor} />
          </div>
        )}
        <div className="grid grid-cols-1 items-start gap-6 lg:grid-cols-2">
          <div {...tabPanel} className="min-w-0">
            <PartEditors editor={editor} />
          </div>
          {panel === "edit" ? null : (
            <div className="card min-w-0 overflow-clip lg:sticky lg:top-4">
              {wide ? <PanelTabs editor={editor} /> : null}
              <TabPanel name={panel} className="p-4">
                <PanelContent editor={editor} panel={panel} />
              </TabPanel>
            </div>
          )}
        </div>
      </TabGroup>
      <Dialogs editor={editor} />
    </div>
  );
}
