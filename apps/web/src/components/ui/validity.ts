/** What is wrong with what stands in a field, in a sentence; a pattern is only ever "something that is not blank". */
export function complaintAbout({ validity, type, minLength, validationMessage }: HTMLInputElement): string {
  if (validity.valueMissing || validity.patternMismatch) return "This cannot be empty.";
  if (validity.typeMismatch && type === "email") return "This is not a valid e-mail address.";
  if (validity.tooShort) return `At least ${minLength} characters are needed.`;
  return validationMessage;
}

/** Whether the field is the first of its form that needs another look: where the focus belongs. */
export function isFirstInvalid(field: HTMLInputElement): boolean {
  return field.form?.querySelector("input:invalid, select:invalid, textarea:invalid") === field;
}
