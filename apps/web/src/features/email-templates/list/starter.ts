import type { CreateTemplate, TemplateVariable } from "@/client/types.gen";
import { buttonHtml } from "../button-html";

const VARIABLES: TemplateVariable[] = [
  {
    name: "name",
    type: "string",
    required: false,
    example: "Ada",
    description: "The recipient’s name. Optional.",
  },
  {
    name: "link",
    type: "url",
    required: true,
    example: "https://example.com/",
    description: "The URL that the button opens.",
  },
];

const HTML = `<h1>TITLE</h1>
<p>{% if name %}Hello {{ name }},{% else %}Hello,{% endif %}</p>
<p>Describe in one or two sentences what happened and what to do next.</p>
${buttonHtml("{{ link }}", "Open")}
<p class="small last">You are receiving this email because you have an account with {{ product_name }}.</p>
`;

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** The content of a new template: it can be sent as it is, and shows what a template can do. */
export function starterContent(name: string): Pick<CreateTemplate, "subject" | "html" | "variables"> {
  // Braces could form a tag.
  const title = name.replace(/[{}]/g, "").trim();
  return {
    subject: title,
    html: HTML.replace("TITLE", () => title.replace(/[&<>]/g, (sign) => ENTITIES[sign] ?? sign)),
    variables: VARIABLES,
  };
}

/** A key made from a name: "Order shipped!" becomes "order-shipped". */
export function suggestKey(name: string): string {
  return name
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, 63);
}
