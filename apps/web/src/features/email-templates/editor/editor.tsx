import type { EmailTemplate, TemplateLanguage, User } from "@/client/types.gen";
import type { EditorSearch, Panel, Show } from "../search-params";
import { Notices } from "./alerts";
import { Dialogs } from "./dialogs/dialogs";
import { Header } from "./header";
import { panelTabs, ShownPanel } from "./panels/panels";
import { Editors } from "./part-editors";
import { TabList, TabPanel } from "./tab-list";
import { useEditor } from "./use-editor";

interface EditorProps {
  template: EmailTemplate;
  grammar: TemplateLanguage;
  me: Pick<User, "id" | "email">;
  search: EditorSearch;
  onShow: Show;
}

/** The editor of one template in one language: the words, and beside them what comes of them. */
export function Editor({ template, grammar, me, search, onShow }: EditorProps) {
  const editor = useEditor(template, me.id, search, onShow);
  const { desk, state, wide, panel } = editor;
  const save = () => void editor.save();
  const showLocale = (locale: string) => {
    // What is set aside is so in one language.
    onShow({ ...search, locale, panel: search.panel === "aside" ? undefined : search.panel });
  };
  const tabs = (
    <TabList<Panel | "edit">
      id="panel"
      label={wide ? "Beside the words" : "Views"}
      tabs={panelTabs(editor)}
      shown={panel}
      onShow={editor.showPanel}
    />
  );
  const editing = wide ? {} : { role: "tabpanel", id: "panel-edit-panel", "aria-labelledby": "panel-edit" };
  return (
    <div className="grid grid-cols-1 gap-5" data-full>
      <Header
        {...{ template, state, wide, told: editor.told }}
        me={me.id}
        onLocale={showLocale}
        onSave={save}
        onOpen={(name) => void editor.open(name)}
      />
      <Notices
        {...{ template, desk, state }}
        me={me.id}
        onSave={save}
        onCompare={() => void editor.open("conflict")}
        onLanguages={() => editor.showPanel("languages")}
        onGone={editor.focus}
      />
      {wide ? null : <div className="-mx-4">{tabs}</div>}
      <div className="grid grid-cols-1 items-start gap-6 lg:grid-cols-2">
        {/* One element on every screen: the editors in it keep what they hold. */}
        <div {...editing} hidden={!wide && panel !== "edit"} className="min-w-0">
          <Editors
            handles={editor.handles}
            state={state}
            grammar={grammar}
            checked={editor.checked}
            problems={editor.problems}
            part={editor.part}
            onPart={editor.showPart}
            onType={editor.type}
            onSave={save}
            onJump={editor.jump}
          />
        </div>
        {panel === "edit" ? null : (
          <div className="card min-w-0 overflow-clip lg:sticky lg:top-4">
            {wide ? tabs : null}
            <TabPanel id="panel" name={panel} className="p-4">
              <ShownPanel template={template} grammar={grammar} editor={editor} />
            </TabPanel>
          </div>
        )}
      </div>
      <Dialogs template={template} me={me} editor={editor} onLocale={showLocale} />
    </div>
  );
}
