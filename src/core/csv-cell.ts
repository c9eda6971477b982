/** A cell of CSV that is inert in a spreadsheet. */
export function cellOf(text: string): string {
  const cell = inert(text)
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}

/** A text that no spreadsheet runs: an apostrophe stands before what it would. */
export function inert(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
}
