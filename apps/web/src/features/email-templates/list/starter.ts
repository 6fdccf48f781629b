import type { CreateTemplate, TemplateVariable } from "@/client/types.gen";

const VARIABLES: TemplateVariable[] = [
  {
    name: "name",
    type: "string",
    required: false,
    example: "Ada",
    description: "What the reader is called; may be left out.",
  },
  {
    name: "link",
    type: "url",
    required: true,
    example: "https://example.com/",
    description: "Where the button leads.",
  },
];

const HTML = `<h1>TITLE</h1>
<p>{% if name %}Hello {{ name }},{% else %}Hello,{% endif %}</p>
<p>Say here in a sentence or two what has happened, and what the reader may do now.</p>
<table role="presentation" class="button" cellpadding="0" cellspacing="0" border="0">
<tbody><tr><td class="button-cell" bgcolor="#0f5c4d" align="center"><a class="button-link" href="{{ link }}">Have a look</a></td></tr></tbody>
</table>
<p class="small last">You get this e-mail because you have an account with {{ product_name }}.</p>
`;

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** The words that a new template begins with: they can be sent as they are, and show what one can do. */
export function starterWords(name: string): Pick<CreateTemplate, "subject" | "html" | "variables"> {
  // Braces would be read as the template's own.
  const title = name.replace(/[{}]/g, "").trim();
  return {
    subject: title,
    html: HTML.replace("TITLE", () => title.replace(/[&<>]/g, (sign) => ENTITIES[sign] ?? sign)),
    variables: VARIABLES,
  };
}

/** The key that a name suggests: "Order shipped!" is "order-shipped". */
export function suggestKey(name: string): string {
  return name
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, 63);
}
