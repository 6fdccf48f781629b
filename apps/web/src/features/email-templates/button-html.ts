/** The button of the built-in templates. It is a table because Outlook gives links no background and no padding. */
export function buttonHtml(url: string, label: string): string {
  return `<table role="presentation" class="button" cellpadding="0" cellspacing="0" border="0">
<tbody><tr><td class="button-cell" bgcolor="#0f5c4d" align="center"><a class="button-link" href="${url}">${label}</a></td></tr></tbody>
</table>`;
}
